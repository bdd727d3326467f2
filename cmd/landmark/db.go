package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"landmark/internal/store"
)

type dbCmd struct {
	Verify dbVerify `cmd:"" help:"Check the history against its chain of hashes."`
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
