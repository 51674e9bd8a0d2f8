// Package filestest gives tests a bucket.
package filestest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rclone/gofakes3"
	"github.com/rclone/gofakes3/s3mem"
	"github.com/rclone/gofakes3/signature"
)

// The key that servers know.
const (
	AccessKey = "access"
	Secret    = "secret"
)

// serve speaks S3 with those whose signatures are right. An empty delimiter of a listing is
// none, as S3 has it.
func serve(backend *s3mem.Backend) http.Handler {
	next := gofakes3.New(backend).Server()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		known := func(key string) (string, bool) { return Secret, key == AccessKey }
		if fault := signature.V4SignVerifyWithLookup(r, known); fault != signature.ErrNone {
			answer := signature.GetAPIError(fault)
			w.Header().Set("Content-Type", "application/xml")
			w.WriteHeader(answer.HTTPStatusCode)
			_, _ = w.Write(signature.EncodeAPIErrorToResponseWithRequestID(answer, "")) // who asked may have gone
			return
		}
		if query := r.URL.Query(); query.Has("delimiter") && query.Get("delimiter") == "" {
			query.Del("delimiter")
			r.URL.RawQuery = query.Encode()
		}
		next.ServeHTTP(w, r)
	})
}

// Bucket starts a server that speaks S3 for the time of a test, makes a bucket of it, and
// gives its address for files.OpenS3.
func Bucket(t testing.TB) (address string) {
	t.Helper()
	backend := s3mem.New()
	server := httptest.NewServer(serve(backend))
	t.Cleanup(server.Close)
	if err := backend.CreateBucket(t.Context(), "files"); err != nil {
		t.Fatal(err)
	}
	return "s3+http://" + AccessKey + ":" + Secret + "@" + strings.TrimPrefix(server.URL, "http://") + "/files"
}
