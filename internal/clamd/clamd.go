// Package clamd asks a virus scanner that speaks clamd's protocol about a file.
package clamd

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"time"
)

// Scanner is a clamd at an address. Each file is a connection of its own, so that a
// scanner that was started anew is found again.
type Scanner struct{ network, address string }

// New takes the path of a socket, or host:port. clamd knows no encryption: a host
// is for the same machine or a network that holds nobody else.
func New(address string) (*Scanner, error) {
	if filepath.IsAbs(address) {
		return &Scanner{"unix", address}, nil
	}
	if host, port, err := net.SplitHostPort(address); err != nil || host == "" || port == "" {
		return nil, fmt.Errorf("%q is neither the path of clamd's socket nor host:port", address)
	}
	return &Scanner{"tcp", address}, nil
}

const (
	// patience is how long one file may take.
	patience = 30 * time.Second
	chunk    = 64 << 10
	// maxAnswer is far above any name of a virus.
	maxAnswer = 4 << 10
)

// Scan gives the name of what was found in a file, empty where that is nothing. An
// error says nothing about the file.
func (s *Scanner) Scan(ctx context.Context, content []byte) (found string, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, err := new(net.Dialer).DialContext(ctx, s.network, s.address)
	if err != nil {
		return "", fmt.Errorf("reach clamd: %w", err)
	}
	defer func() { _ = c.Close() }() // the answer is there or not
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	sent := send(c, content)
	answer, err := io.ReadAll(io.LimitReader(c, maxAnswer)) // also after a failed write: clamd says why it hung up
	if err = errors.Join(sent, err); err != nil && len(answer) == 0 {
		return "", fmt.Errorf("ask clamd: %w", errors.Join(err, ctx.Err()))
	}
	said := strings.TrimSpace(string(bytes.TrimRight(answer, "\x00")))
	switch name, isFound := strings.CutSuffix(strings.TrimPrefix(said, "stream: "), " FOUND"); {
	case said == "stream: OK" && err == nil:
		return "", nil
	case isFound:
		return name, nil
	}
	return "", errors.Join(fmt.Errorf("clamd answers %q", said), err)
}

// send is one INSTREAM command: pieces, each after its length, ended by an empty one.
func send(w io.Writer, content []byte) error {
	if _, err := io.WriteString(w, "zINSTREAM\x00"); err != nil {
		return err
	}
	for len(content) > 0 {
		piece := content[:min(chunk, len(content))]
		content = content[len(piece):]
		if err := binary.Write(w, binary.BigEndian, uint32(len(piece))); err != nil {
			return err
		}
		if _, err := w.Write(piece); err != nil {
			return err
		}
	}
	return binary.Write(w, binary.BigEndian, uint32(0))
}
