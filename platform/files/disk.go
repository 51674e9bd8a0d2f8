package files

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"strings"
	"syscall"
	"time"
)

// workshop is the directory, on the same file system, in which files are written before
// they are moved to their place, and to which those deleted are moved first. No key can
// name it, as it begins with a point.
const workshop = ".tmp"

// leftoverAge is how old something in the workshop must be to have been left by a
// process that was killed.
const leftoverAge = time.Hour

// What is made may be shared within a group: who starts the process decides by its umask.
const (
	dirMode  = 0o770
	fileMode = 0o660
)

// Disk is a Store in a directory. Several processes may share it. Every access goes
// through an os.Root, so that no key and no symbolic link leads out of the directory.
type Disk struct{ root *os.Root }

// OpenDisk makes a Store in dir, which is created when missing, and clears away what a
// killed process left behind.
func OpenDisk(dir string) (*Disk, error) {
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return nil, fmt.Errorf("make files directory: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open files directory: %w", err)
	}
	d := &Disk{root}
	if err := d.prepareWorkshop(); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare %s: %w", path.Join(dir, workshop), err), root.Close())
	}
	return d, nil
}

// Close lets go of the directory.
func (d *Disk) Close() error { return d.root.Close() }

// Put implements Store.
func (d *Disk) Put(ctx context.Context, key string, r io.Reader, contentType string) (int64, error) {
	if err := checkKey(key); err != nil {
		return 0, err
	}
	if err := checkType(key, contentType); err != nil {
		return 0, err
	}
	draft := d.inWorkshop()
	size, err := d.write(ctx, draft, r)
	if err == nil {
		err = d.move(draft, key)
	}
	if err != nil {
		_ = d.root.Remove(draft) // what stays is swept at a later start
		return 0, fmt.Errorf("put %s: %w", key, err)
	}
	return size, nil
}

// Open implements Store.
func (d *Disk) Open(ctx context.Context, key string) (*File, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := d.root.Open(key)
	if absent(err) {
		return nil, fmt.Errorf("open %s: %w", key, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", key, err)
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("open %s: %w", key, ErrNotFound), err, f.Close())
	}
	contentType, _ := ContentType(key)
	return &File{f, info.Size(), contentType, info.ModTime()}, nil
}

// Delete implements Store.
func (d *Disk) Delete(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := d.root.Remove(key); err != nil && !absent(err) {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}

// DeletePrefix implements Store. The files vanish in one step and are removed after it.
func (d *Disk) DeletePrefix(ctx context.Context, prefix string) error {
	if err := checkPrefix(prefix); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	grave := d.inWorkshop()
	err := d.root.Rename(strings.TrimSuffix(prefix, "/"), grave)
	if absent(err) {
		return nil
	}
	if err == nil {
		err = d.bury(grave)
	}
	if err != nil {
		return fmt.Errorf("delete all of %s: %w", prefix, err)
	}
	return nil
}

// bury removes a directory into which some may still be putting files that they began before
// it was moved here.
func (d *Disk) bury(grave string) (err error) {
	for range 100 {
		if err = d.root.RemoveAll(grave); !errors.Is(err, syscall.ENOTEMPTY) {
			return err
		}
	}
	return err
}

// Keys implements Store.
func (d *Disk) Keys(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := checkPrefix(prefix); err != nil {
			yield("", err)
			return
		}
		err := fs.WalkDir(d.root.FS(), strings.TrimSuffix(prefix, "/"), func(name string, entry fs.DirEntry, err error) error {
			if err == nil {
				err = ctx.Err()
			}
			if err == nil && entry.Type().IsRegular() && !yield(name, nil) {
				return fs.SkipAll
			}
			if absent(err) {
				return nil // nothing there, or deleted while we looked
			}
			return err
		})
		if err != nil {
			yield("", fmt.Errorf("list %s: %w", prefix, err))
		}
	}
}

// write copies r into a new file of the workshop and brings it to the disk.
func (d *Disk) write(ctx context.Context, name string, r io.Reader) (size int64, err error) {
	f, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if size, err = io.Copy(f, &interruptible{ctx, r}); err != nil {
		return size, err
	}
	return size, f.Sync()
}

// move gives a written file its place. The directory can vanish between its making and
// the move, when DeletePrefix runs at the same time; then both are done again.
func (d *Disk) move(draft, key string) error {
	dir := path.Dir(key)
	for attempt := 0; ; attempt++ {
		err := d.root.MkdirAll(dir, dirMode)
		if err == nil {
			err = d.root.Rename(draft, key)
		}
		if err == nil {
			err = d.syncUp(dir)
		}
		if err == nil || !errors.Is(err, fs.ErrNotExist) || attempt == 10 {
			return err
		}
		if _, gone := d.root.Lstat(draft); gone != nil {
			return nil // moved, and then deleted with its prefix
		}
	}
}

// syncUp brings a directory's entries to the disk, and those of the ones above it, which
// may be as new.
func (d *Disk) syncUp(dir string) error {
	for ; ; dir = path.Dir(dir) {
		f, err := d.root.Open(dir)
		if err != nil {
			return err
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return err
		}
		if dir == "." {
			return nil
		}
	}
}

// prepareWorkshop makes the workshop and sweeps what is too old to be in use.
func (d *Disk) prepareWorkshop() error {
	if err := d.root.MkdirAll(workshop, dirMode); err != nil {
		return err
	}
	_, err := d.Clear(context.Background(), leftoverAge)
	return err
}

// Clear implements Store.
func (d *Disk) Clear(ctx context.Context, age time.Duration) (n int, err error) {
	entries, err := fs.ReadDir(d.root.FS(), workshop)
	if err != nil {
		return 0, fmt.Errorf("clear the workshop: %w", err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || time.Since(info.ModTime()) < age {
			continue // gone, or somebody's work
		}
		if err := errors.Join(ctx.Err(), d.root.RemoveAll(path.Join(workshop, entry.Name()))); err != nil {
			return n, fmt.Errorf("clear the workshop: %w", err)
		}
		n++
	}
	return n, nil
}

// Roots implements Store.
func (d *Disk) Roots(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		entries, err := fs.ReadDir(d.root.FS(), ".")
		if err = errors.Join(ctx.Err(), err); err != nil {
			yield("", fmt.Errorf("list the roots of files: %w", err))
			return
		}
		for _, entry := range entries {
			if entry.IsDir() && entry.Name() != workshop && !yield(entry.Name(), nil) {
				return
			}
		}
	}
}

// inWorkshop is a new name in the workshop.
func (d *Disk) inWorkshop() string { return path.Join(workshop, rand.Text()) }

// absent says whether err means that there is no such file; a file where a directory
// would have to be is none either.
func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) }

// interruptible is a reader that ends with its context.
type interruptible struct {
	ctx context.Context
	io.Reader
}

// Read fails once the context is done.
func (r *interruptible) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}
