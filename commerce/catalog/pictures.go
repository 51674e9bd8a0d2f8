package catalog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/stoacommerce/stoa/platform/files"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/images"
	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Size is a picture in one size, and the key of its file. Beside that, the same as WebP may
// lie, which is served to those who take it.
type Size struct {
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Key    string `json:"key"`
}

// keys are those of a size's files; of the second there may be none.
func (s Size) keys() []string { return []string{s.Key, files.Beside(s.Key)} }

// Picture is a picture whose files are stored.
type Picture struct {
	ID          ImageID
	ContentType string // of the largest size
	Bytes       int    // of the largest size
	Sizes       []Size // from small to large
}

// Pictures makes files of pictures. It works outside of transactions: files are stored
// before the row that shows them, and removed after it.
type Pictures struct {
	Files     files.Store
	Processor *images.Processor
	// MaxBytes is how large a picture may be that the context's store brings, by its plan;
	// no limit when it is nil or zero. The processor's own bound holds as well.
	MaxBytes func(ctx context.Context) int64
}

// Trying are the pictures as a dry run has them: they are judged, and no file is stored.
func (p *Pictures) Trying() *Pictures {
	tried := *p
	tried.Files = nowhere{p.Files}
	return &tried
}

// nowhere is where files go that are not stored.
type nowhere struct{ files.Store }

// Put implements files.Store.
func (nowhere) Put(_ context.Context, _ string, r io.Reader, _ string) (int64, error) {
	return io.Copy(io.Discard, r)
}

// Delete implements files.Store.
func (nowhere) Delete(context.Context, string) error { return nil }

// allowance is a reader that refuses to go on once it has read more than is allowed.
type allowance struct {
	io.Reader
	most, read int64
}

// Read implements io.Reader.
func (a *allowance) Read(p []byte) (int, error) {
	n, err := a.Reader.Read(p)
	if a.read += int64(n); a.read > a.most {
		detail := fmt.Sprintf("The plan allows pictures of %d MB, and this one is larger.", a.most>>20)
		return 0, problem.New(problem.Unprocessable, "plan_limit", "%s", detail).At("/file", string(images.TooManyBytes), "%s", detail)
	}
	return n, err
}

// Store judges a picture, makes its sizes and stores them for the context's store, under
// an ID, or a new one when that is empty. A picture that is refused is a problem.
func (p *Pictures) Store(ctx context.Context, id ImageID, r io.Reader) (Picture, error) {
	ref, ok := postgres.StoreFrom(ctx)
	if !ok {
		return Picture{}, postgres.ErrNoStore
	}
	if p.MaxBytes != nil {
		if most := p.MaxBytes(ctx); most > 0 {
			r = &allowance{Reader: r, most: most}
		}
	}
	made, err := p.Processor.Process(ctx, r)
	if err != nil {
		return Picture{}, refused(err)
	}
	if id == "" {
		id = ImageID(ids.New("img"))
	}
	picture := Picture{ID: id}
	for _, size := range made.Sizes {
		key := fmt.Sprintf("%s/%s/products/%s/%d%s", ref.ID, ref.Mode, id, size.Width, size.Extension)
		if _, err := p.Files.Put(ctx, key, bytes.NewReader(size.Data), size.ContentType); err != nil {
			return Picture{}, errors.Join(fmt.Errorf("store %s: %w", key, err), p.Remove(ctx, picture))
		}
		picture.Sizes = append(picture.Sizes, Size{Width: size.Width, Height: size.Height, Key: key})
		if len(size.WebP) > 0 {
			if _, err := p.Files.Put(ctx, files.Beside(key), bytes.NewReader(size.WebP), "image/webp"); err != nil {
				return Picture{}, errors.Join(fmt.Errorf("store %s as WebP: %w", key, err), p.Remove(ctx, picture))
			}
		}
		picture.ContentType, picture.Bytes = size.ContentType, len(size.Data)
	}
	return picture, nil
}

// Remove deletes a picture's files, even when the request that stored them is over.
func (p *Pictures) Remove(ctx context.Context, picture Picture) error {
	var errs []error
	for _, size := range picture.Sizes {
		for _, key := range size.keys() {
			errs = append(errs, p.Files.Delete(context.WithoutCancel(ctx), key))
		}
	}
	return errors.Join(errs...)
}

// refused gives the reasons why a picture is not taken their public words.
func refused(err error) error {
	var why *images.Refused
	if !errors.As(err, &why) {
		return err
	}
	if why.Reason == images.TooManyBytes {
		return problem.New(problem.TooLarge, "body_too_large", "%s", why.Detail)
	}
	return problem.New(problem.Unprocessable, "image_invalid", "%s", why.Detail).At("/file", string(why.Reason), "%s", why.Detail)
}

// JobDeleteFiles is the kind of the job that deletes the files of what was deleted; its
// arguments are DeleteFilesArgs.
const JobDeleteFiles = "catalog.delete_files"

// DeleteFilesArgs are the arguments of a JobDeleteFiles.
type DeleteFilesArgs struct {
	Keys []string `json:"keys"`
}

// deleteFiles has the files of pictures deleted once the transaction is committed.
func deleteFiles(tx *postgres.Tx, images ...*image) {
	var keys []string
	for _, i := range images {
		for _, size := range i.Sizes {
			keys = append(keys, size.keys()...)
		}
	}
	if len(keys) > 0 {
		journal.Job(tx, JobDeleteFiles, DeleteFilesArgs{keys})
	}
}

// Register has the workers do the jobs of pictures.
func (p *Pictures) Register(w *jobs.Workers) {
	w.Handle(JobDeleteFiles, jobs.With(p.DeleteFiles))
}

// DeleteFiles does a JobDeleteFiles. It can be repeated.
func (p *Pictures) DeleteFiles(ctx context.Context, args DeleteFilesArgs) error {
	for _, key := range args.Keys {
		if err := p.Files.Delete(ctx, key); err != nil {
			return err
		}
	}
	return nil
}
