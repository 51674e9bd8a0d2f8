package page

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
)

// Policy is the Content-Security-Policy of pages: they load stylesheets, scripts and pictures of
// their own host, ask it for more, send forms to it, and nothing else.
const Policy = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// sharedFor is how long others (browsers, a cache in between) may show a shared page
// without asking. A change of a shop reaches everyone within this time.
const sharedFor = 10 * time.Second

// Rendered is a page as it is sent.
type Rendered struct {
	html, zipped []byte
	etag         string
}

// Size is how much memory it takes.
func (p *Rendered) Size() int { return len(p.html) + len(p.zipped) }

// Render makes a shared page.
func Render(ctx context.Context, c templ.Component) (*Rendered, error) {
	var b bytes.Buffer
	if err := c.Render(ctx, &b); err != nil {
		return nil, fmt.Errorf("render a page: %w", err)
	}
	return &Rendered{html: b.Bytes(), zipped: zip(b.Bytes()), etag: tag(b.Bytes())}, nil
}

// Write is a page as replicas share it, and Read makes it of that again.
func (p *Rendered) Write() []byte { return p.html }

// Read is Write's contrary.
func Read(html []byte) (*Rendered, error) {
	return &Rendered{html: html, zipped: zip(html), etag: tag(html)}, nil
}

// Shared answers with a page that is the same for everyone.
func Shared(w http.ResponseWriter, r *http.Request, p *Rendered) { SharedWith(w, r, Policy, p) }

// SharedWith answers so, under another Content-Security-Policy than the usual one.
func SharedWith(w http.ResponseWriter, r *http.Request, policy string, p *Rendered) {
	h := protect(w)
	h.Set("Content-Security-Policy", policy)
	h.Set("Cache-Control", "public, max-age="+strconv.Itoa(int(sharedFor/time.Second)))
	send(w, r, "text/html; charset=utf-8", p.etag, p.html, p.zipped)
}

// Own answers with a page that is the same for several people and no others: nobody in
// between keeps it, and their browsers ask each time whether it is still so.
func Own(w http.ResponseWriter, r *http.Request, p *Rendered) {
	h := protect(w)
	h.Set("Content-Security-Policy", Policy)
	h.Set("Cache-Control", "private, no-cache")
	send(w, r, "text/html; charset=utf-8", p.etag, p.html, p.zipped)
}

// Personal answers with a page for one person.
func Personal(w http.ResponseWriter, r *http.Request, status int, c templ.Component) error {
	return PersonalWith(w, r, status, Policy, c)
}

// PersonalWith answers so, under another Content-Security-Policy than the usual one.
func PersonalWith(w http.ResponseWriter, r *http.Request, status int, policy string, c templ.Component) error {
	var b bytes.Buffer
	if err := c.Render(r.Context(), &b); err != nil {
		return fmt.Errorf("render a page: %w", err)
	}
	h := protect(w)
	h.Set("Content-Security-Policy", policy)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(b.Bytes()) // a client that left cannot be told
	}
	return nil
}

// File answers with a file for one person, which the browser shows, or keeps under its name.
func File(w http.ResponseWriter, r *http.Request, name, contentType string, data []byte) {
	h := protect(w)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", contentType)
	h.Set("Content-Disposition", mime.FormatMediaType("inline", map[string]string{"filename": name}))
	h.Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(data) // a client that left cannot be told
	}
}

// SeeOther sends the browser on after a form.
func SeeOther(w http.ResponseWriter, path string) {
	protect(w)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", path)
	w.WriteHeader(http.StatusSeeOther)
}

// protect sets the headers of a page that the server does not set already. Addresses of
// personal pages are told to nobody else.
func protect(w http.ResponseWriter) http.Header {
	h := w.Header()
	h.Set("Content-Security-Policy", Policy)
	h.Set("Referrer-Policy", "same-origin")
	return h
}

// send answers a GET with something that has an ETag, compressed where it is wanted.
func send(w http.ResponseWriter, r *http.Request, contentType, etag string, body, zipped []byte) {
	h := w.Header()
	h.Set("ETag", etag)
	h.Add("Vary", "Accept-Encoding")
	if Fresh(r, etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", contentType)
	if len(zipped) > 0 && Takes(r, "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = zipped
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a client that left cannot be told
	}
}

// Fresh says whether the client has the present version.
func Fresh(r *http.Request, etag string) bool {
	for _, given := range r.Header.Values("If-None-Match") {
		for candidate := range strings.SplitSeq(given, ",") {
			candidate = strings.TrimSpace(candidate)
			if candidate == "*" || strings.TrimPrefix(candidate, "W/") == strings.TrimPrefix(etag, "W/") {
				return true
			}
		}
	}
	return false
}

// Takes says whether the client takes an answer that is encoded so.
func Takes(r *http.Request, encoding string) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, quality, _ := strings.Cut(strings.TrimSpace(part), ";")
		if name == encoding || name == "*" {
			return strings.ReplaceAll(quality, " ", "") != "q=0"
		}
	}
	return false
}

// tag is a weak ETag: the same page compressed and not is the same page.
func tag(body []byte) string { return `W/"` + Digest(body) + `"` }

// Digest is a short name for content.
func Digest(parts ...[]byte) string {
	h := sha256.New()
	for _, part := range parts {
		h.Write(part)
	}
	return hex.EncodeToString(h.Sum(nil)[:10])
}

// zip compresses; nil when that would not make it smaller.
func zip(body []byte) []byte {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil
	}
	_, _ = z.Write(body) // a buffer takes everything
	if z.Close() != nil || b.Len() >= len(body) {
		return nil
	}
	return b.Bytes()
}
