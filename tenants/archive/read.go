package archive

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// ErrBroken is what is wrong with an archive that is not whole, or was changed.
var ErrBroken = errors.New("the archive is not whole")

// Reader reads an archive, once.
type Reader struct {
	About About

	tar     *tar.Reader
	members map[string]string
}

// Open reads the beginning of an archive.
func Open(in io.Reader) (*Reader, error) {
	zip, err := gzip.NewReader(in)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	r := &Reader{tar: tar.NewReader(zip), members: map[string]string{}}
	name, body, err := r.next()
	if err != nil || name != "about.json" {
		return nil, fmt.Errorf("%w: it does not begin with about.json: %w", ErrBroken, err)
	}
	if err := json.NewDecoder(body).Decode(&r.About); err != nil {
		return nil, fmt.Errorf("%w: about.json: %w", ErrBroken, err)
	}
	if r.About.Format != Format {
		return nil, fmt.Errorf("the archive is of the form %d; this program reads %d", r.About.Format, Format)
	}
	return r, body.Close()
}

// whole has every fault of reading be the archive's: an end that comes too early would be
// taken for the database's otherwise.
type whole struct{ io.Reader }

func (w whole) Read(into []byte) (int, error) {
	n, err := w.Reader.Read(into)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: %s", ErrBroken, err)
	}
	return n, err
}

// body is a member that is being read.
type body struct {
	io.Reader
	close func() error
}

func (b body) Close() error { return b.close() }

// next is the next member. Closed, it is read to its end and its checksum remembered.
func (r *Reader) next() (string, io.ReadCloser, error) {
	header, err := r.tar.Next()
	if err != nil {
		return "", nil, err
	}
	sum := sha256.New()
	in := io.TeeReader(whole{r.tar}, sum)
	return header.Name, body{in, func() error {
		if _, err := io.Copy(io.Discard, in); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrBroken, header.Name, err)
		}
		r.members[header.Name] = hex.EncodeToString(sum.Sum(nil))
		return nil
	}}, nil
}

// Load reads the rest into the empty tables of a schema, within tx on its cell, and holds
// everything that was read, and everything that lies in the schema then, against the
// manifest. An error leaves nothing, as tx has to be rolled back.
func (r *Reader) Load(ctx context.Context, tx *postgres.Tx, schema string) (m Manifest, err error) {
	if _, err := tx.Exec(ctx, `set local role `+postgres.OwnerRole); err != nil {
		return m, err
	}
	there, err := tables(ctx, tx, schema)
	if err != nil {
		return m, err
	}
	known := map[string]Table{}
	for _, t := range there {
		known[t.Name] = t
	}
	err = r.rest(func(name string, in io.Reader) error {
		table, isData := strings.CutPrefix(name, "data/")
		table = strings.TrimSuffix(table, ".csv")
		switch {
		case name == "manifest.json":
			if err := json.NewDecoder(in).Decode(&m); err != nil {
				return fmt.Errorf("%w: %s", ErrBroken, err) // an end that came too early is not the database's
			}
			return nil
		case !isData:
			return nil
		case known[table].Name == "":
			return fmt.Errorf("there is no table %q in tables of version %d", table, r.About.Version)
		}
		_, err := tx.Conn().PgConn().CopyFrom(ctx, in, `copy `+columnsOf(schema, known[table])+` from stdin with (format csv, header match)`)
		return err
	})
	if err != nil {
		return m, fmt.Errorf("load store %s: %w", r.About.Store, err)
	}
	for name, sum := range m.Members {
		if r.members[name] != sum {
			return m, fmt.Errorf("load store %s: %w: %s is missing or was changed", r.About.Store, ErrBroken, name)
		}
	}
	for name, value := range m.Sequences {
		if _, err := tx.Exec(ctx, `select setval(to_regclass($1), $2)`, schema+"."+name, value); err != nil {
			return m, fmt.Errorf("load store %s: sequence %s: %w", r.About.Store, name, err)
		}
	}
	have, err := Digests(ctx, tx, schema)
	if err != nil {
		return m, err
	}
	if others := Differences(m.Tables, have); len(others) > 0 {
		return m, fmt.Errorf("load store %s: %w: %s", r.About.Store, ErrBroken, strings.Join(others, "; "))
	}
	return m, nil
}

// rest gives each of the remaining members to take; the manifest has to be among them.
func (r *Reader) rest(take func(name string, in io.Reader) error) error {
	for last := ""; ; {
		name, in, err := r.next()
		if errors.Is(err, io.EOF) && last == "manifest.json" {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %s", ErrBroken, err)
		}
		if err := take(name, in); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := in.Close(); err != nil {
			return err
		}
		last = name
	}
}
