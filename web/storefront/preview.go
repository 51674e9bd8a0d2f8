package storefront

import (
	_ "embed"
	"net/http"
	"net/url"
	"strings"

	"github.com/stoacommerce/stoa/web/page"
)

//go:embed preview.js
var previewJS string

// previewScript is what the pages of a preview have beside the shop's own script.
var previewScript = page.NewAsset("preview", ".js", "text/javascript; charset=utf-8", []byte(bare(previewJS)))

// A preview is the shop as the draft of its theme has it. Its addresses begin with a key, which
// all links of its pages keep; so nothing of it is ever taken for a page of the shop's own, by
// whoever keeps those.

// previewed takes the key off an address, and gives it back as the prefix that it was. Without
// one, or with one that opens nothing, it is none; over says that the key's time is.
func (v *visit) previewed() (prefix string, over bool) {
	rest, found := strings.CutPrefix(v.r.URL.Path, previewPath)
	if !found {
		return "", false
	}
	key, _, whole := strings.Cut(rest, "/")
	if !whole || !v.config().Links.opensPreview(v.store.Ref, key) {
		return "", true
	}
	prefix = previewPath + key
	address := *v.r.URL
	cut(&address, prefix)
	v.r.URL = &address
	return prefix, false
}

// cut takes a prefix off an address's path.
func cut(address *url.URL, prefix string) {
	address.Path = "/" + strings.TrimPrefix(strings.TrimPrefix(address.Path, prefix), "/")
	if address.RawPath != "" {
		address.RawPath = "/" + strings.TrimPrefix(strings.TrimPrefix(address.RawPath, prefix), "/")
	}
}

// unkept is the answer of a page of a preview: nobody keeps it, no search engine finds it, and
// the back office may show it in a frame of its own.
type unkept struct {
	http.ResponseWriter
	editor string // the back office's origin; empty for nobody's
}

// WriteHeader implements http.ResponseWriter.
func (u unkept) WriteHeader(status int) {
	h := u.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Robots-Tag", "noindex")
	h.Del("ETag")
	if policy := h.Get("Content-Security-Policy"); u.editor != "" && policy != "" {
		h.Set("Content-Security-Policy", strings.Replace(policy, "frame-ancestors 'none'", "frame-ancestors "+u.editor, 1))
		h.Del("X-Frame-Options")
	}
	u.ResponseWriter.WriteHeader(status)
}
