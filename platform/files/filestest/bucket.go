// Package filestest gives tests a bucket.
package filestest

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rclone/gofakes3"
	"github.com/rclone/gofakes3/s3mem"
)

// memory is a server's memory. An empty delimiter of a listing is none, as S3 has it.
type memory struct{ *s3mem.Backend }

// ListBucket implements gofakes3.Backend.
func (m memory) ListBucket(ctx context.Context, name string, prefix *gofakes3.Prefix, page gofakes3.ListBucketPage) (*gofakes3.ObjectList, error) {
	prefix.HasDelimiter = prefix.Delimiter != ""
	return m.Backend.ListBucket(ctx, name, prefix, page)
}

// Bucket starts a server that speaks S3, and knows one key by its signatures, for the time
// of a test, makes a bucket of it, and gives its address for files.OpenS3.
func Bucket(t testing.TB) (address string) {
	t.Helper()
	backend := memory{s3mem.New()}
	server := httptest.NewServer(gofakes3.New(backend, gofakes3.WithV4Auth(map[string]string{AccessKey: Secret})).Server())
	t.Cleanup(server.Close)
	if err := backend.CreateBucket(t.Context(), "files"); err != nil {
		t.Fatal(err)
	}
	return "s3+http://" + AccessKey + ":" + Secret + "@" + strings.TrimPrefix(server.URL, "http://") + "/files"
}
