package main

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"
)

// newLog makes the program's log, and what writes out the lines it holds back.
func newLog(w io.Writer, format, level string) (*slog.Logger, func()) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		l = slog.LevelInfo // kong has checked the value
	}
	options := &slog.HandlerOptions{Level: l}
	lines := &lineBuffer{to: w}
	var h slog.Handler = slog.NewTextHandler(lines, options)
	if format == "json" {
		h = slog.NewJSONHandler(lines, options)
	}
	return slog.New(gathering{h, lines}), lines.flush
}

// gathering writes lines about requests that went well a few at a time: on a busy
// server each would cost a system call of its own. All other lines, and what was held
// back before them, are written at once.
type gathering struct {
	slog.Handler
	lines *lineBuffer
}

// Handle implements [slog.Handler].
func (g gathering) Handle(ctx context.Context, r slog.Record) error {
	err := g.Handler.Handle(ctx, r)
	if r.Level > slog.LevelInfo || r.Message != "request" {
		g.lines.flush()
	}
	return err
}

// WithAttrs implements [slog.Handler].
func (g gathering) WithAttrs(a []slog.Attr) slog.Handler {
	return gathering{g.Handler.WithAttrs(a), g.lines}
}

// WithGroup implements [slog.Handler].
func (g gathering) WithGroup(name string) slog.Handler {
	return gathering{g.Handler.WithGroup(name), g.lines}
}

const (
	holdLines = 100 * time.Millisecond
	maxHeld   = 32 << 10
)

// lineBuffer holds lines back for a moment.
type lineBuffer struct {
	to io.Writer

	mu      sync.Mutex
	held    []byte
	waiting bool // a flush is on its way
}

// Write implements [io.Writer].
func (b *lineBuffer) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held = append(b.held, line...)
	switch {
	case len(b.held) > maxHeld:
		b.write()
	case !b.waiting:
		b.waiting = true
		time.AfterFunc(holdLines, b.flush)
	}
	return len(line), nil
}

// flush writes what is held.
func (b *lineBuffer) flush() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting = false
	b.write()
}

func (b *lineBuffer) write() {
	if len(b.held) > 0 {
		_, _ = b.to.Write(b.held) // there is no other place to say that the log cannot be written
		b.held = b.held[:0]
	}
}
