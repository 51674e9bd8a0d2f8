// Package files keeps files that belong to stores: pictures in their sizes, uploads,
// exports. It knows keys and bytes, not what they mean.
//
// A key is a relative path such as "sto_01…/live/products/img_01…/960.jpg". It begins
// with its store, so that all of a store's files go with one DeletePrefix, and ends with
// an extension that says its content type. Files never change under their key: what
// changes gets a new one, so that they can be cached for ever.
package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"strings"
	"time"
)

// What can be wrong with a call. Errors of this package wrap one of these, or are
// faults of the machine below.
var (
	ErrNotFound = errors.New("no such file")
	ErrBadKey   = errors.New("bad file key")
	ErrBadType  = errors.New("content type does not fit the key's extension")
)

// Store keeps files. It is safe for concurrent use.
type Store interface {
	// Put stores everything that r holds under key, whole or not at all: a reader of the
	// key sees the old file or the new one. When it returns without error, the file
	// outlasts a crash. It returns how many bytes it stored.
	Put(ctx context.Context, key string, r io.Reader, contentType string) (int64, error)
	// Open reads a file; the caller closes it. A missing one is ErrNotFound.
	Open(ctx context.Context, key string) (*File, error)
	// Delete removes a file. A missing one is no error.
	Delete(ctx context.Context, key string) error
	// DeletePrefix removes every file whose key begins with prefix, which ends in "/".
	DeletePrefix(ctx context.Context, prefix string) error
	// Keys are the keys that begin with prefix, which ends in "/", in no certain order.
	Keys(ctx context.Context, prefix string) iter.Seq2[string, error]
	// Roots are the first segments of all keys, such as the stores that have files, in no
	// certain order.
	Roots(ctx context.Context) iter.Seq2[string, error]
	// Clear removes what was begun to be stored, or to be removed, and has not come to its end
	// for so long: those who were at it died. It gives how many there were.
	Clear(ctx context.Context, age time.Duration) (int, error)
	// Close lets go of what the Store holds.
	Close() error
}

// File is an open file.
type File struct {
	io.ReadSeekCloser
	Size        int64
	ContentType string
	Modified    time.Time
}

// contentTypes are the types of files that are kept, by extension. What is not here is
// not kept: a file is never served with a type that somebody else chose.
var contentTypes = map[string]string{
	".jpg":   "image/jpeg",
	".png":   "image/png",
	".gif":   "image/gif",
	".webp":  "image/webp",
	".csv":   "text/csv",
	".jsonl": "application/x-ndjson",
	".json":  "application/json",
	".txt":   "text/plain",
	".pdf":   "application/pdf",
	".zip":   "application/zip",
	".gz":    "application/gzip",
	".age":   "application/octet-stream", // sealed, for backups
}

// ContentType is the content type of the file under a key, by its extension.
func ContentType(key string) (string, bool) {
	t, ok := contentTypes[path.Ext(key)]
	return t, ok
}

// Extension is the extension, with its point, of keys for files of a content type.
func Extension(contentType string) (string, bool) {
	bare, _, _ := strings.Cut(contentType, ";")
	for extension, t := range contentTypes {
		if t == strings.TrimSpace(bare) {
			return extension, true
		}
	}
	return "", false
}

// Beside is the key of the same picture as WebP.
func Beside(key string) string { return strings.TrimSuffix(key, path.Ext(key)) + ".webp" }

const (
	maxKeyBytes     = 1024
	maxSegmentBytes = 200
)

// checkKey says whether key may name a file.
func checkKey(key string) error {
	if _, ok := ContentType(key); !ok {
		return fmt.Errorf("%w %.100q: unknown extension", ErrBadKey, key)
	}
	return checkPath(key)
}

// checkPrefix says whether prefix may name a group of files. It ends in "/", as the
// files of "sto_1" are not those of "sto_10"; and there is no prefix for everything.
func checkPrefix(prefix string) error {
	trimmed, ok := strings.CutSuffix(prefix, "/")
	if !ok {
		return fmt.Errorf("%w: prefix %.100q does not end in /", ErrBadKey, prefix)
	}
	return checkPath(trimmed)
}

// checkPath allows plain, relative, slash-separated names only: nothing that a file
// system, a URL or a shell could read another way, and nothing hidden.
func checkPath(name string) error {
	if !fs.ValidPath(name) || name == "." || len(name) > maxKeyBytes {
		return fmt.Errorf("%w %.100q", ErrBadKey, name)
	}
	for segment := range strings.SplitSeq(name, "/") {
		if segment[0] == '.' || len(segment) > maxSegmentBytes || strings.ContainsFunc(segment, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' || r == '.')
		}) {
			return fmt.Errorf("%w %.100q", ErrBadKey, name)
		}
	}
	return nil
}

// checkType says whether a file of this content type may lie under key.
func checkType(key, contentType string) error {
	bare, _, _ := strings.Cut(contentType, ";")
	if want, _ := ContentType(key); strings.TrimSpace(bare) != want {
		return fmt.Errorf("%w: %.100q under %q", ErrBadType, contentType, key)
	}
	return nil
}
