package page

import (
	"net/http"
)

// Asset is a file that never changes under its path, because its path bears its digest.
type Asset struct {
	Path string

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

// ServeHTTP sends the file. Under its own path it can be kept for ever; under that of a
// former version, which a page that somebody kept may still name, the present one is
// better than none.
func (a *Asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	caching := "public, max-age=31536000, immutable"
	if r.URL.Path != a.Path {
		caching = "no-cache"
	}
	w.Header().Set("Cache-Control", caching)
	send(w, r, a.contentType, a.etag, a.body, a.zipped)
}
