package files

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// partSize is how much of a file is held in memory at a time while it is put. What is
// larger goes in parts, which become the file when all of them are there. Each is sent with
// its MD5, which every service checks; chunks that are signed one by one, not every one takes.
const partSize = 8 << 20

// S3 is a Store in a bucket of any service that speaks S3's protocol. Readers come to its
// files through the program, as to those of a Disk, so that the bucket stays private.
type S3 struct {
	client         *minio.Core
	bucket, prefix string
}

// OpenS3 makes a Store of an address such as
// "s3://access-key:secret@s3.example.com/bucket/prefix?region=eu-central-1"; the prefix and
// the region may be left out. "s3+http" speaks without TLS. The bucket has to exist.
func OpenS3(ctx context.Context, address string) (*S3, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "s3" && u.Scheme != "s3+http" {
		return nil, errors.New("the address of files is no URL that begins with s3:// or s3+http://")
	}
	bucket, prefix, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
	secret, _ := u.User.Password()
	if bucket == "" || secret == "" || prefix != "" && checkPath(prefix) != nil {
		return nil, errors.New("the address of files names no access key, secret and bucket, or a prefix that cannot be")
	}
	client, err := minio.NewCore(u.Host, &minio.Options{
		Creds: credentials.NewStaticV4(u.User.Username(), secret, ""), Secure: u.Scheme == "s3", Region: u.Query().Get("region"),
	})
	if err != nil {
		return nil, fmt.Errorf("open the bucket of files: %w", err)
	}
	there, err := client.BucketExists(ctx, bucket)
	if err == nil && !there {
		err = errors.New("there is none of this name")
	}
	if err != nil {
		return nil, fmt.Errorf("open the bucket %s: %w", bucket, err)
	}
	return &S3{client, bucket, prefix}, nil
}

// Close lets go of nothing: connections end when they are idle.
func (s *S3) Close() error { return nil }

// name is the name in the bucket of the file under a key.
func (s *S3) name(key string) string { return path.Join(s.prefix, key) }

// Put implements Store.
func (s *S3) Put(ctx context.Context, key string, r io.Reader, contentType string) (int64, error) {
	if err := checkKey(key); err != nil {
		return 0, err
	}
	if err := checkType(key, contentType); err != nil {
		return 0, err
	}
	r = &interruptible{ctx, r}
	var first bytes.Buffer
	size, err := io.Copy(&first, io.LimitReader(r, partSize))
	if err != nil {
		return 0, fmt.Errorf("put %s: %w", key, err)
	}
	options := minio.PutObjectOptions{ContentType: contentType, PartSize: partSize, SendContentMd5: true, DisableContentSha256: true}
	if size < partSize {
		r = &first
	} else {
		r, size = io.MultiReader(&first, r), -1
	}
	info, err := s.client.Client.PutObject(ctx, s.bucket, s.name(key), r, size, options)
	if err != nil {
		return 0, fmt.Errorf("put %s: %w", key, err)
	}
	return info.Size, nil
}

// Open implements Store.
func (s *S3) Open(ctx context.Context, key string) (*File, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	body, info, _, err := s.client.GetObject(ctx, s.bucket, s.name(key), minio.GetObjectOptions{})
	if minio.ToErrorResponse(err).Code == minio.NoSuchKey {
		return nil, fmt.Errorf("open %s: %w", key, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", key, err)
	}
	contentType, _ := ContentType(key)
	object := &object{ctx: ctx, store: s, name: s.name(key), tag: info.ETag, size: info.Size, body: body}
	return &File{object, info.Size, contentType, info.LastModified}, nil
}

// Delete implements Store.
func (s *S3) Delete(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.client.RemoveObject(ctx, s.bucket, s.name(key), minio.RemoveObjectOptions{}); err != nil {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}

// DeletePrefix implements Store. It is done again until nothing is left.
func (s *S3) DeletePrefix(ctx context.Context, prefix string) error {
	for key, err := range s.Keys(ctx, prefix) {
		if err != nil {
			return err
		}
		if err := s.client.RemoveObject(ctx, s.bucket, s.name(key), minio.RemoveObjectOptions{}); err != nil {
			return fmt.Errorf("delete all of %s: %w", prefix, err)
		}
	}
	return nil
}

// Keys implements Store.
func (s *S3) Keys(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := checkPrefix(prefix); err != nil {
			yield("", err)
			return
		}
		if err := ctx.Err(); err != nil {
			yield("", err)
			return
		}
		ctx, done := context.WithCancel(ctx)
		defer done() // the listing ends with whoever reads it
		for info := range s.client.Client.ListObjects(ctx, s.bucket, minio.ListObjectsOptions{Prefix: s.name(prefix) + "/", Recursive: true}) {
			if info.Err != nil {
				yield("", fmt.Errorf("list %s: %w", prefix, info.Err))
				return
			}
			if !yield(strings.TrimPrefix(info.Key, s.below()), nil) {
				return
			}
		}
	}
}

// Roots implements Store.
func (s *S3) Roots(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		ctx, done := context.WithCancel(ctx)
		defer done()
		for info := range s.client.Client.ListObjects(ctx, s.bucket, minio.ListObjectsOptions{Prefix: s.below()}) {
			if info.Err != nil {
				yield("", fmt.Errorf("list the roots of files: %w", info.Err))
				return
			}
			if root, folder := strings.CutSuffix(strings.TrimPrefix(info.Key, s.below()), "/"); folder && !yield(root, nil) {
				return
			}
		}
	}
}

// below is what all names in the bucket begin with.
func (s *S3) below() string {
	if s.prefix == "" {
		return ""
	}
	return s.prefix + "/"
}

// Clear implements Store: files that go in parts, of which the last never came, cost as whole
// ones do, and no listing shows them.
func (s *S3) Clear(ctx context.Context, age time.Duration) (n int, err error) {
	ctx, done := context.WithCancel(ctx)
	defer done()
	for upload := range s.client.ListIncompleteUploads(ctx, s.bucket, s.below(), true) {
		err := upload.Err
		if err == nil && time.Since(upload.Initiated) >= age {
			err = s.client.AbortMultipartUpload(ctx, s.bucket, upload.Key, upload.UploadID)
			n++
		}
		if err != nil {
			return n, fmt.Errorf("clear the bucket %s of uploads that were broken off: %w", s.bucket, err)
		}
	}
	return n, nil
}

// object reads a file of a bucket. It is fetched from where it is read on: at once from its
// beginning, and anew when the reader has gone to another place.
type object struct {
	ctx       context.Context
	store     *S3
	name, tag string
	size      int64
	body      io.ReadCloser
	at, place int64 // where the body stands, and where the reader is
}

// Read implements io.Reader.
func (o *object) Read(p []byte) (int, error) {
	if o.place >= o.size {
		return 0, io.EOF
	}
	if o.at != o.place {
		if err := o.fetch(); err != nil {
			return 0, err
		}
	}
	n, err := o.body.Read(p)
	o.at, o.place = o.at+int64(n), o.place+int64(n)
	return n, err
}

// fetch has the body begin where the reader is, in the same file still.
func (o *object) fetch() error {
	var options minio.GetObjectOptions
	if err := errors.Join(o.body.Close(), options.SetMatchETag(o.tag), options.SetRange(o.place, o.size-1)); err != nil {
		return err
	}
	body, _, _, err := o.store.client.GetObject(o.ctx, o.store.bucket, o.name, options)
	if err != nil {
		return fmt.Errorf("read on in %s: %w", o.name, err)
	}
	o.body, o.at = body, o.place
	return nil
}

// Seek implements io.Seeker.
func (o *object) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += o.place
	case io.SeekEnd:
		offset += o.size
	}
	if offset < 0 {
		return 0, errors.New("a place before the beginning")
	}
	o.place = offset
	return offset, nil
}

// Close implements io.Closer.
func (o *object) Close() error { return o.body.Close() }
