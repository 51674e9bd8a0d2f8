// Package media serves the pictures of shops: GET /media/<key> on the shop's own host.
// A file never changes under its key, so that browsers and proxies may keep it for ever.
package media

import (
	"errors"
	"log/slog"
	"mime"
	"net/http"
	"path"
	"strconv"
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
	if ext := path.Ext(key); ext == ".jpg" || ext == ".png" {
		header.Set("Vary", "Accept")
	}
	file, err := h.open(r, key)
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

// open opens a picture: as WebP, where it lies there so and who asks takes that.
func (h *Handler) open(r *http.Request, key string) (*files.File, error) {
	if beside := files.Beside(key); beside != key && takesWebP(r.Header.Values("Accept")) {
		if file, err := h.Files.Open(r.Context(), beside); !errors.Is(err, files.ErrNotFound) {
			return file, err
		}
	}
	return h.Files.Open(r.Context(), key)
}

// takesWebP says whether a client names WebP among what it takes, as all browsers do that
// can show it. One that takes anything may be no browser.
func takesWebP(accepts []string) bool {
	for _, accept := range accepts {
		for kind := range strings.SplitSeq(accept, ",") {
			media, parameters, err := mime.ParseMediaType(kind)
			if q, bad := strconv.ParseFloat(parameters["q"], 64); err == nil && media == "image/webp" && (bad != nil || q > 0) {
				return true
			}
		}
	}
	return false
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
