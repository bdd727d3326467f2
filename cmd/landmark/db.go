package main

import (
	"archive/zip"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"landmark/internal/store"
	"landmark/migrations"
)

type dbDump struct {
	File string `arg:"" help:"Where to; an existing file is replaced once the new one is whole."`
}

// Run writes a backup.
func (c dbDump) Run(ctx context.Context, p *program) (err error) {
	file, replace, err := target(c.File)
	if err != nil {
		return err
	}
	if !replace {
		return fmt.Errorf("cannot write %s: a backup goes to a file, not to a device or a pipe", c.File)
	}
	c.File = file
	d, err := p.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	f, err := os.CreateTemp(filepath.Dir(c.File), ".landmark-dump-*")
	if err != nil {
		return fmt.Errorf("cannot write %s: check the folder and the rights: %w", c.File, errors.Unwrap(err))
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	m, err := store.Dump(ctx, d.pool, migrations.Newest(), time.Now(), f)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write %s: is the disk full? %w", c.File, err)
	}
	if err := os.Rename(f.Name(), c.File); err != nil {
		return fmt.Errorf("write %s: %w", c.File, err)
	}
	_, err = fmt.Fprintf(p.stdout, "dumped %d rows of %d tables to %s; history head %s\n", m.Rows(), len(m.Tables), c.File, m.History)
	return err
}

type dbRestore struct {
	File string `arg:"" help:"A backup written by landmark db dump."`
}

// Run restores a backup into an empty database.
func (c dbRestore) Run(ctx context.Context, p *program) (err error) {
	z, err := zip.OpenReader(c.File)
	if err != nil {
		return fmt.Errorf("cannot read %s: it is not a whole dump of landmark: %s", c.File, lastCause(err))
	}
	defer func() { err = errors.Join(err, z.Close()) }()
	if _, err := store.ReadManifest(&z.Reader); err != nil { // before any database is touched
		return err
	}
	d, err := p.locate(ctx, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if err := migrations.Up(ctx, d.url); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, d.url) // the owner: the program's own role may not switch triggers off
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	m, err := store.Restore(ctx, conn, migrations.Newest(), &z.Reader)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "restored %d rows of %d tables as of %s; history head %s\n",
		m.Rows(), len(m.Tables), m.At.In(p.zone).Format(time.DateTime), m.History)
	return err
}

type dbCmd struct {
	Dump    dbDump    `cmd:"" help:"Write a whole, consistent backup, evidence files included."`
	Restore dbRestore `cmd:"" help:"Fill an empty database from a backup; checked, all or nothing."`
	Verify  dbVerify  `cmd:"" help:"Check the history against its chain of hashes."`
}

type dbVerify struct {
	Head []string `placeholder:"SEQ:HASH" help:"Heads noted earlier, from history-heads.log, the log or a bulletin: a chain cut short shows."`
}

// Run checks the history.
func (c dbVerify) Run(ctx context.Context, p *program) error {
	var noted []store.HistoryHead
	for _, s := range c.Head {
		seq, hash, ok := strings.Cut(s, ":")
		n, err := strconv.ParseInt(seq, 10, 64)
		sum, err2 := hex.DecodeString(hash)
		if !ok || err != nil || err2 != nil || n < 1 {
			return usageError{fmt.Errorf("--head %q is not a head: write it as noted, like 128:1f3a…", s)}
		}
		noted = append(noted, store.HistoryHead{Seq: n, Hash: sum})
	}
	return p.withStore(ctx, func(st *store.Store) error {
		head, waiting, err := st.VerifyHistory(ctx, noted...)
		if err != nil {
			return fmt.Errorf("the history was tampered with: %w", err)
		}
		_, err = fmt.Fprintf(p.stdout, "history is whole: %d lines sealed, %d waiting; head %s\n", head.Seq, waiting, head)
		return err
	})
}
