package files

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"
)

// openers are the implementations that must pass the tests of this file.
var openers = map[string]func(*testing.T) Store{
	"disk": func(t *testing.T) Store { return disk(t, t.TempDir()) },
	"s3":   inBucket,
}

// each runs a test on every implementation.
func each(t *testing.T, test func(*testing.T, Store)) {
	for name, open := range openers {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// disk opens a Disk for the time of a test.
func disk(t *testing.T, dir string) *Disk {
	t.Helper()
	d, err := OpenDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// put stores text that must be accepted.
func put(t *testing.T, s Store, key, text string) {
	t.Helper()
	contentType, _ := ContentType(key)
	if size, err := s.Put(t.Context(), key, strings.NewReader(text), contentType); err != nil || size != int64(len(text)) {
		t.Fatalf("put %s: %d, %v", key, size, err)
	}
}

// read is what lies under a key, or "absent".
func read(t *testing.T, s Store, key string) string {
	t.Helper()
	f, err := s.Open(t.Context(), key)
	if errors.Is(err, ErrNotFound) {
		return "absent"
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	body, err := io.ReadAll(f)
	if err != nil || int64(len(body)) != f.Size {
		t.Fatalf("read %s: %d bytes of %d, %v", key, len(body), f.Size, err)
	}
	return string(body)
}

// keys are the keys under a prefix, sorted.
func keys(t *testing.T, s Store, prefix string) []string {
	t.Helper()
	var out []string
	for key, err := range s.Keys(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, key)
	}
	slices.Sort(out)
	return out
}

func TestPutOpenDelete(t *testing.T) {
	each(t, func(t *testing.T, s Store) {
		const key = "sto_1/live/products/img_1/960.jpg"
		if read(t, s, key) != "absent" {
			t.Fatal("something is there from the start")
		}
		put(t, s, key, "first")
		put(t, s, key, "second, longer")
		if got := read(t, s, key); got != "second, longer" {
			t.Fatalf("read %q", got)
		}
		f, err := s.Open(t.Context(), key)
		if err != nil || f.ContentType != "image/jpeg" || time.Since(f.Modified) > time.Minute {
			t.Fatalf("%+v, %v", f, err)
		}
		if at, err := f.Seek(7, io.SeekStart); err != nil || at != 7 {
			t.Fatalf("seek: %d, %v", at, err)
		}
		if rest, err := io.ReadAll(f); err != nil || string(rest) != " longer" {
			t.Fatalf("after a seek: %q, %v", rest, err)
		}
		if err := s.Delete(t.Context(), key); err != nil || read(t, s, key) != "absent" {
			t.Fatalf("deleted: %v", err)
		}
		_ = f.Close()
		if err := s.Delete(t.Context(), key); err != nil {
			t.Errorf("deleting nothing: %v", err)
		}
		put(t, s, "sto_1/live/products/img_1/empty.csv", "")
		if got := read(t, s, "sto_1/live/products/img_1/empty.csv"); got != "" {
			t.Errorf("an empty file holds %q", got)
		}
	})
}

func TestDeletePrefixTakesExactlyWhatIsUnderIt(t *testing.T) {
	each(t, func(t *testing.T, s Store) {
		for _, key := range []string{"sto_1/live/a.jpg", "sto_1/test/b/c/d.png", "sto_10/live/a.jpg", "sto_2/live/sto_1/a.jpg"} {
			put(t, s, key, key)
		}
		if got := keys(t, s, "sto_1/"); !slices.Equal(got, []string{"sto_1/live/a.jpg", "sto_1/test/b/c/d.png"}) {
			t.Fatalf("keys %v", got)
		}
		if err := s.DeletePrefix(t.Context(), "sto_1/"); err != nil {
			t.Fatal(err)
		}
		if got := keys(t, s, "sto_1/"); len(got) != 0 || read(t, s, "sto_1/live/a.jpg") != "absent" {
			t.Fatalf("left: %v", got)
		}
		if read(t, s, "sto_10/live/a.jpg") == "absent" || read(t, s, "sto_2/live/sto_1/a.jpg") == "absent" {
			t.Fatal("another store's file went too")
		}
		if err := s.DeletePrefix(t.Context(), "sto_1/"); err != nil {
			t.Errorf("deleting nothing: %v", err)
		}
		put(t, s, "sto_1/live/a.jpg", "again")
		if read(t, s, "sto_1/live/a.jpg") != "again" {
			t.Error("a prefix cannot be used again")
		}
		for range s.Keys(t.Context(), "sto_10/") {
			break // must not panic
		}
	})
}

func TestKeysThatAreRefused(t *testing.T) {
	each(t, func(t *testing.T, s Store) {
		for _, key := range []string{
			"", ".", "/", "/etc/passwd.txt", "../a.jpg", "sto_1/../sto_2/a.jpg", "sto_1/./a.jpg", "sto_1//a.jpg", "a.jpg/", ".tmp/a.jpg", "sto_1/.hidden.jpg", "sto_1/.jpg",
			`sto_1\a.jpg`, "sto_1/a b.jpg", "sto_1/ä.jpg", "sto_1/a\x00.jpg", "sto_1/a\n.jpg", "sto_1/a%2e.jpg", "sto_1/a.exe", "sto_1/a.svg", "sto_1/a.html", "sto_1/a", "sto_1/a.JPG",
			strings.Repeat("a", 201) + "/a.jpg", strings.Repeat("abcdefgh/", 120) + "a.jpg",
		} {
			if _, err := s.Put(t.Context(), key, strings.NewReader("x"), "image/jpeg"); !errors.Is(err, ErrBadKey) {
				t.Errorf("put %q: %v", key, err)
			}
			if _, err := s.Open(t.Context(), key); !errors.Is(err, ErrBadKey) {
				t.Errorf("open %q: %v", key, err)
			}
			if err := s.Delete(t.Context(), key); !errors.Is(err, ErrBadKey) {
				t.Errorf("delete %q: %v", key, err)
			}
		}
		for _, prefix := range []string{"", "/", "./", "../", "sto_1", "sto_1/../", ".tmp/", "sto_1//"} {
			if err := s.DeletePrefix(t.Context(), prefix); !errors.Is(err, ErrBadKey) {
				t.Errorf("delete all of %q: %v", prefix, err)
			}
			for _, err := range s.Keys(t.Context(), prefix) {
				if !errors.Is(err, ErrBadKey) {
					t.Errorf("keys of %q: %v", prefix, err)
				}
			}
		}
		for _, contentType := range []string{"text/html", "image/png", "", "image/svg+xml", "image/jpegx"} {
			if _, err := s.Put(t.Context(), "sto_1/a.jpg", strings.NewReader("x"), contentType); !errors.Is(err, ErrBadType) {
				t.Errorf("%q under a .jpg: %v", contentType, err)
			}
		}
		if _, err := s.Put(t.Context(), "sto_1/a.csv", strings.NewReader("x"), "text/csv; charset=utf-8"); err != nil {
			t.Errorf("a content type with a parameter: %v", err)
		}
		if err := s.Delete(t.Context(), "sto_1/a.csv/b.csv"); err != nil {
			t.Errorf("deleting below a file: %v", err)
		}
		if read(t, s, "sto_1/a.csv/b.csv") != "absent" {
			t.Error("a file below a file")
		}
	})
}

func TestAFailedPutLeavesWhatWasThere(t *testing.T) {
	each(t, func(t *testing.T, s Store) {
		const key = "sto_1/live/a.txt"
		put(t, s, key, "whole")
		broken := errors.New("broken")
		if _, err := s.Put(t.Context(), key, io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken)), "text/plain"); !errors.Is(err, broken) {
			t.Errorf("a broken reader: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		stopping := io.MultiReader(strings.NewReader("half"), readerFunc(func([]byte) (int, error) { cancel(); return 1, nil }))
		if _, err := s.Put(ctx, key, stopping, "text/plain"); !errors.Is(err, context.Canceled) {
			t.Errorf("an interrupted put: %v", err)
		}
		if got := read(t, s, key); got != "whole" {
			t.Errorf("left %q", got)
		}
		if got := keys(t, s, "sto_1/"); len(got) != 1 {
			t.Errorf("left %v", got)
		}
		if _, err := s.Open(ctx, key); !errors.Is(err, context.Canceled) {
			t.Errorf("open after the end: %v", err)
		}
		if err := errors.Join(s.Delete(ctx, key), s.DeletePrefix(ctx, "sto_1/")); !errors.Is(err, context.Canceled) || read(t, s, key) != "whole" {
			t.Errorf("delete after the end: %v", err)
		}
		for _, err := range s.Keys(ctx, "sto_1/") {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("keys after the end: %v", err)
			}
		}
	})
}

// readerFunc is a reader made of a function.
type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestReadersSeeWholeFilesOnly(t *testing.T) {
	each(t, func(t *testing.T, s Store) {
		const key, size = "sto_1/live/a.txt", 300_000
		text := func(i int) string { return strings.Repeat(string(rune('a'+i)), size) }
		put(t, s, key, text(0))
		var writers, readers sync.WaitGroup
		done := make(chan struct{})
		for i := range 4 {
			writers.Go(func() {
				for range 5 {
					if _, err := s.Put(t.Context(), key, strings.NewReader(text(i)), "text/plain"); err != nil {
						t.Error(err)
					}
				}
			})
			readers.Go(func() {
				for {
					select {
					case <-done:
						return
					default:
					}
					f, err := s.Open(t.Context(), key)
					if err != nil {
						t.Error(err)
						return
					}
					body, _ := io.ReadAll(f)
					_ = f.Close()
					if len(body) != size || bytes.Count(body, body[:1]) != size {
						t.Errorf("%d bytes, mixed or torn", len(body))
					}
				}
			})
		}
		writers.Wait()
		close(done)
		readers.Wait()
	})
}

func TestPutWhileThePrefixIsDeleted(t *testing.T) {
	each(t, func(t *testing.T, s Store) {
		var wait sync.WaitGroup
		for i := range 2 {
			wait.Go(func() {
				for n := range 60 {
					if _, err := s.Put(t.Context(), fmt.Sprintf("sto_1/a%d/b/%d.txt", i, n), strings.NewReader("x"), "text/plain"); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wait.Go(func() {
			for range 60 {
				if err := s.DeletePrefix(t.Context(), "sto_1/"); err != nil {
					t.Error(err)
				}
			}
		})
		wait.Wait()
		if err := s.DeletePrefix(t.Context(), "sto_1/"); err != nil || len(keys(t, s, "sto_1/")) != 0 {
			t.Errorf("left: %v, %v", keys(t, s, "sto_1/"), err)
		}
	})
}

func TestContentTypesAndExtensionsAgree(t *testing.T) {
	for extension, contentType := range contentTypes {
		if back, ok := Extension(contentType + "; charset=utf-8"); !ok || back != extension {
			t.Errorf("%s: %q", contentType, back)
		}
	}
	if _, ok := Extension("text/html"); ok {
		t.Error("HTML has an extension")
	}
}

func TestDiskLeadsNowhereElse(t *testing.T) {
	outside, inside := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret.txt"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(inside, "sto_1")); err != nil {
		t.Fatal(err)
	}
	d := disk(t, inside)
	if f, err := d.Open(t.Context(), "sto_1/secret.txt"); err == nil {
		_ = f.Close()
		t.Error("read through a link")
	}
	if _, err := d.Put(t.Context(), "sto_1/secret.txt", strings.NewReader("x"), "text/plain"); err == nil {
		t.Error("wrote through a link")
	}
	if err := d.Delete(t.Context(), "sto_1/secret.txt"); err == nil {
		t.Error("deleted through a link")
	}
	if err := d.DeletePrefix(t.Context(), "sto_1/"); err != nil {
		t.Error(err) // the link itself goes
	}
	if body, err := os.ReadFile(filepath.Join(outside, "secret.txt")); err != nil || string(body) != "secret" {
		t.Errorf("outside: %q, %v", body, err)
	}
}

func TestDiskSweepsWhatAKilledProcessLeft(t *testing.T) {
	dir := t.TempDir()
	put(t, disk(t, dir), "sto_1/a.txt", "kept")
	for _, name := range []string{"old", "new"} {
		if err := os.WriteFile(filepath.Join(dir, workshop, name), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, workshop, "grave", "live"), 0o750); err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-2 * leftoverAge)
	for _, name := range []string{"old", "grave"} {
		if err := os.Chtimes(filepath.Join(dir, workshop, name), long, long); err != nil {
			t.Fatal(err)
		}
	}
	d := disk(t, dir)
	left, err := os.ReadDir(filepath.Join(dir, workshop))
	if err != nil || len(left) != 1 || left[0].Name() != "new" {
		t.Errorf("in the workshop: %v, %v", left, err)
	}
	if read(t, d, "sto_1/a.txt") != "kept" {
		t.Error("a file in its place was swept")
	}
	if err := os.WriteFile(filepath.Join(dir, "plain"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenDisk(filepath.Join(dir, "plain")); err == nil {
		t.Error("opened a file as a directory")
	}
}
