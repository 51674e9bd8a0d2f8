// Package admin is the merchant's back office: a program in the browser (src/), which asks
// the API's contract like any other client, and here what serves it.
//
// Vite builds it into dist/built, which is under no version control. Whatever is there when
// the Go program is built is part of it; where nothing is, the address says what is missing.
package admin

import (
	"crypto/rand"
	"embed"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync"

	"github.com/stoacommerce/stoa/web/page"
)

// Path is the address that all others of the back office begin with.
const Path = "/admin"

//go:embed all:dist
var dist embed.FS

// built is read when somebody first asks for it: workers and commands never do.
var built = sync.OnceValues(func() (*bundle, error) {
	files, err := fs.Sub(dist, "dist/built")
	if err != nil {
		return nil, err
	}
	return read(files)
})

// Office serves the back office.
type Office struct {
	bundle func() (*bundle, error)
	shops  string // where shops are, in the terms of a policy
}

// New makes the back office of a platform with this address. Shops, whose pictures and previews
// it shows, are one label below it, or at domains of their merchants'.
func New(public *url.URL) *Office {
	return &Office{bundle: built, shops: "https: " + public.Scheme + "://*." + public.Host}
}

// ServeHTTP answers below Path: with a file, or with the one page, whatever the address, as
// the program reads it by itself.
func (o *Office) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, err := o.bundle()
	if err != nil {
		page.Plain(w, r, http.StatusNotFound, "The back office is not part of this program",
			"It was built without Node.js. With Node.js 20.19 or later on the machine, make build puts it in. Shops and the API do without.")
		return
	}
	name := strings.TrimPrefix(r.URL.Path, Path+"/")
	if file, ok := b.files[name]; ok {
		file.serve(w, r)
		return
	}
	if strings.HasPrefix(name, assets) {
		page.Plain(w, r, http.StatusNotFound, "This file is not here", "The back office has a newer version. Load it anew.")
		return
	}
	o.serve(w, r, b)
}

// nonce is where Vite leaves a place for one; see vite.config.ts.
const nonce = "__NONCE__"

// serve answers with the page. It is another for each answer, by a nonce without which no
// style that a script makes is let in, and so it is kept by nobody.
func (o *Office) serve(w http.ResponseWriter, r *http.Request, b *bundle) {
	once := rand.Text()
	body := strings.ReplaceAll(b.page, nonce, once)
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-"+once+"'; img-src 'self' blob: "+o.shops+"; frame-src "+o.shops+
		"; font-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write([]byte(body)) // a client that left cannot be told
	}
}

// bundle is what Vite has built.
type bundle struct {
	page  string
	files map[string]*file
}

// assets is where Vite puts files, whose names bear their digests.
const assets = "assets/"

// read reads what Vite has built; an error means that it has not.
func read(built fs.FS) (*bundle, error) {
	text, err := fs.ReadFile(built, "index.html")
	if err != nil {
		return nil, err
	}
	b := &bundle{page: string(text), files: map[string]*file{}}
	names, err := fs.Glob(built, assets+"*")
	if err != nil {
		return nil, err
	}
	bodies := map[string][]byte{}
	for _, name := range names {
		if bodies[name], err = fs.ReadFile(built, name); err != nil {
			return nil, err
		}
	}
	for name, body := range bodies {
		if extension := path.Ext(name); extension != ".br" && extension != ".gz" {
			b.files[name] = &file{
				etag: `W/"` + page.Digest(body) + `"`, contentType: mime.TypeByExtension(extension),
				plain: body, zipped: bodies[name+".gz"], brotli: bodies[name+".br"],
			}
		}
	}
	return b, nil
}

// file is one of them, also as it is compressed, where it was.
type file struct {
	contentType, etag     string
	plain, zipped, brotli []byte
}

// serve answers with the file, which never changes, as its name bears its digest.
func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("ETag", f.etag)
	h.Add("Vary", "Accept-Encoding")
	if page.Fresh(r, f.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := f.plain
	switch {
	case f.brotli != nil && page.Takes(r, "br"):
		body = f.brotli
		h.Set("Content-Encoding", "br")
	case f.zipped != nil && page.Takes(r, "gzip"):
		body = f.zipped
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Type", f.contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a client that left cannot be told
	}
}
