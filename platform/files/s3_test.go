package files

import (
	"io"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/platform/files/filestest"
)

// inBucket opens a bucket for the time of a test.
func inBucket(t *testing.T) Store {
	t.Helper()
	s, err := OpenS3(t.Context(), filestest.Bucket(t)+"/shops/one?region=eu-central-1")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAddressesOfBuckets(t *testing.T) {
	address := filestest.Bucket(t)
	for _, wrong := range []string{
		"", "http://access:secret@s3.example.com/files", "s3://s3.example.com/files", "s3://access:secret@s3.example.com/",
		address + "/../x", strings.Replace(address, ":secret", ":wrong", 1), strings.Replace(address, "access", "others", 1), strings.Replace(address, "/files", "/others", 1),
	} {
		if _, err := OpenS3(t.Context(), wrong); err == nil || strings.Contains(err.Error(), "secret@") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

// A large file goes in parts, and is read from any place.
func TestLargeFilesOfABucket(t *testing.T) {
	s := inBucket(t)
	text := strings.Repeat("0123456789", partSize/5) // two parts
	size, err := s.Put(t.Context(), "sto_1/a.txt", strings.NewReader(text), "text/plain")
	if err != nil || size != int64(len(text)) {
		t.Fatal(size, err)
	}
	f, err := s.Open(t.Context(), "sto_1/a.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for _, at := range []int64{5, f.Size - 7, 3} {
		if place, err := f.Seek(at-f.Size, io.SeekEnd); err != nil || place != at {
			t.Fatal(place, err)
		}
		got := make([]byte, 4)
		if _, err := io.ReadFull(f, got); err != nil || string(got) != text[at:at+4] {
			t.Fatalf("at %d: %q, %v", at, got, err)
		}
	}
	if _, err := f.Seek(-1, io.SeekStart); err == nil {
		t.Error("before the beginning")
	}
}
