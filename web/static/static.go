// Package static holds the files pages load: one style sheet, the icon, and the
// small scripts that make a page quicker. Their addresses carry a hash of their
// content, so browsers keep them for ever.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

//go:embed *.css *.svg *.js
var files embed.FS

// bundles are files served under one address, in this order.
var bundles = map[string][]string{"app.css": {"tokens.css", "app.css"}}

type asset struct {
	url     string
	kind    string
	content []byte
	gzipped func() []byte // empty where it would not be smaller; made when it is first asked for
}

// kinds are said here: the machine's own list of types may differ or be absent.
var kinds = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// assets by plain name, and by the last part of their address.
var assets, served = load()

func load() (byName, byFile map[string]asset) {
	byName, byFile = map[string]asset{}, map[string]asset{}
	add := func(name string, content []byte) {
		ext := path.Ext(name)
		sum := sha256.Sum256(content)
		file := fmt.Sprintf("%s.%x%s", strings.TrimSuffix(name, ext), sum[:6], ext)
		a := asset{url: "/static/" + file, kind: kinds[ext], content: content, gzipped: sync.OnceValue(func() []byte { return compressed(name, content) })}
		byName[name], byFile[file] = a, a
	}
	names, err := fs.Glob(files, "*")
	if err != nil {
		panic(fmt.Sprintf("list static files: %v", err))
	}
	part := map[string]bool{}
	for name, parts := range bundles {
		var b bytes.Buffer
		for _, p := range parts {
			part[p] = true
			b.Write(read(p))
		}
		add(name, b.Bytes())
	}
	for _, name := range names {
		if !part[name] {
			add(name, read(name))
		}
	}
	return byName, byFile
}

func compressed(name string, content []byte) []byte {
	var z bytes.Buffer
	w, err := gzip.NewWriterLevel(&z, gzip.BestCompression)
	if err == nil {
		if _, err = w.Write(content); err == nil {
			err = w.Close()
		}
	}
	if err != nil {
		panic(fmt.Sprintf("compress %s: %v", name, err)) // the files are embedded: a fault of the build
	}
	if z.Len() >= len(content) {
		return nil
	}
	return z.Bytes()
}

func read(name string) []byte {
	b, err := files.ReadFile(name)
	if err != nil {
		panic(fmt.Sprintf("read static file: %v", err))
	}
	return b
}

// URL is the address of a file by its plain name, such as "app.css". A page that
// names a file that does not exist is not made: its first rendering says so.
func URL(name string) (string, error) {
	a, ok := assets[name]
	if !ok {
		return "", fmt.Errorf("no static file %s", name)
	}
	return a.url, nil
}

// Has says whether there is a file at an address.
func Has(url string) bool {
	_, ok := served[strings.TrimPrefix(url, "/static/")]
	return ok
}

// Handler serves GET and HEAD of /static/. An address of an older version is not
// found: pages never name one.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, ok := served[strings.TrimPrefix(r.URL.Path, "/static/")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Type", a.kind)
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("X-Content-Type-Options", "nosniff")
		content := a.content
		if gzipped := a.gzipped(); len(gzipped) > 0 {
			h.Set("Vary", "Accept-Encoding")
			if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
				h.Set("Content-Encoding", "gzip")
				content = gzipped
			}
		}
		h.Set("Content-Length", strconv.Itoa(len(content)))
		if r.Method == http.MethodHead {
			return
		}
		_, _ = w.Write(content) // the visitor has gone: nobody to tell
	})
}
