package server

import (
	"context"
	"net"
	"net/http"
)

// An answer of more than 4 KiB leaves net/http in two pieces, the head with the
// beginning of the body and the rest, and each costs a system call and wakes the
// other side. Where a body is whole before it is sent, its connection is held until
// net/http has handed over all of it, and then everything leaves at once.

// holdingListener accepts connections that can be held.
type holdingListener struct{ net.Listener }

// Accept implements [net.Listener].
func (l holdingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err // net/http looks at it
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		return &heldConn{TCPConn: tcp}, nil
	}
	return c, nil
}

// heldConn is a connection whose writes may be held for a while. Like any
// connection of net/http's it is written to by one goroutine at a time.
type heldConn struct {
	*net.TCPConn
	into *[]byte // where writes go; nil: they leave
}

// Write implements [net.Conn].
func (c *heldConn) Write(p []byte) (int, error) {
	if c.into != nil {
		*c.into = append(*c.into, p...)
		return len(p), nil
	}
	return c.TCPConn.Write(p)
}

type heldKey struct{}

// holdable lets handlers find their connection, where it can be held.
func holdable(ctx context.Context, c net.Conn) context.Context {
	if held, ok := c.(*heldConn); ok {
		return context.WithValue(ctx, heldKey{}, held)
	}
	return ctx
}

// writeWhole sends a body of which nothing was sent yet and whose length stands in
// the head, to net/http's own writer. Where that fails the visitor has gone: there
// is nobody to tell.
func writeWhole(w http.ResponseWriter, r *http.Request, body []byte) {
	c, ok := r.Context().Value(heldKey{}).(*heldConn)
	if !ok || r.ProtoMajor != 1 {
		_, _ = w.Write(body)
		return
	}
	held := bodies.Get().(*[]byte)
	*held = (*held)[:0]
	c.into = held
	defer func() {
		c.into = nil
		bodies.Put(held)
	}()
	if _, err := w.Write(body); err != nil {
		return
	}
	_ = http.NewResponseController(w).Flush() // net/http's own writer can
	if _, err := c.TCPConn.Write(*held); err != nil {
		_ = c.Close() // the next read finds it so
	}
}
