// Package media serves the pictures of shops: GET /media/<key> on the shop's own host.
// A file never changes under its key, so that browsers and proxies may keep it for ever.
package media

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/stoacommerce/stoa/platform/files"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Prefix is what the addresses of media begin with.
const Prefix = "/media/"

// kinds are the content types that are shown to everyone. Other files of a store, such as
// uploads and exports, are not for its shoppers.
var kinds = map[string]bool{"image/jpeg": true, "image/png": true, "image/gif": true, "image/webp": true}

// Handler serves media of the store that the request's context is in, on the side of it
// that the context names; a host that is no shop's has none.
type Handler struct {
	Files files.Store
	Log   *slog.Logger
}

// ServeHTTP answers GET and HEAD below Prefix.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "Method not allowed.", http.StatusMethodNotAllowed)
		return
	}
	key, ok := keyOf(r)
	if !ok {
		h.missing(w)
		return
	}
	file, err := h.Files.Open(r.Context(), key)
	if err != nil {
		if !errors.Is(err, files.ErrNotFound) && !errors.Is(err, files.ErrBadKey) {
			h.Log.ErrorContext(r.Context(), "media cannot be read", "key", key, "error", err)
			header.Set("Cache-Control", "no-store")
			http.Error(w, "The file cannot be read at the moment.", http.StatusServiceUnavailable)
			return
		}
		h.missing(w)
		return
	}
	defer func() { _ = file.Close() }()
	header.Set("Content-Type", file.ContentType)
	header.Set("Cache-Control", "public, max-age=31536000, immutable")
	header.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	header.Set("Cross-Origin-Resource-Policy", "cross-origin")
	http.ServeContent(w, r, "", file.Modified, file)
}

// keyOf is the key that a request asks for, when it is a picture of the shop that the
// request came to.
func keyOf(r *http.Request) (string, bool) {
	key, found := strings.CutPrefix(r.URL.Path, Prefix)
	ref, inStore := postgres.StoreFrom(r.Context())
	kind, _ := files.ContentType(key)
	return key, found && inStore && kinds[kind] && strings.HasPrefix(key, ref.ID+"/"+string(ref.Mode)+"/products/")
}

// missing answers what is not there. It is not kept: a picture may be about to come.
func (h *Handler) missing(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, "There is no such file.", http.StatusNotFound)
}
