package page

import (
	"net/http"
)

// Asset is a file that is the same for everyone.
type Asset struct {
	Path string // at which it never changes, because it bears its digest

	contentType  string
	etag         string
	body, zipped []byte
}

// NewAsset names a file by what is in it: "/theme.0a1b2c….css".
func NewAsset(name, extension, contentType string, body []byte) *Asset {
	digest := Digest(body)
	return &Asset{
		Path: "/" + name + "." + digest + extension, contentType: contentType, etag: `W/"` + digest + `"`,
		body: body, zipped: zip(body),
	}
}

// Size implements cache.Sized.
func (a *Asset) Size() int { return len(a.body) + len(a.zipped) }

// ServeHTTP sends the file. Under its own path it can be kept for ever. Elsewhere it is
// asked for anew each time: under a name without a digest, and under that of a former
// version, which a page that somebody kept may still name, and for which the present one
// is better than none.
func (a *Asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	caching := "public, max-age=31536000, immutable"
	if r.URL.Path != a.Path {
		caching = "no-cache"
	}
	w.Header().Set("Cache-Control", caching)
	send(w, r, a.contentType, a.etag, a.body, a.zipped)
}
