// Package archive writes all that a side of a store holds into one file that needs nothing
// but Postgres to be read, and reads it back into a schema. What the file looks like is told
// in docs/backups.md.
//
// What is sealed stays sealed: without the key ring, secrets cannot be read from it. All
// else, customers included, lies open in it; who keeps archives seals the whole (app/keeping).
package archive

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/migrations"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
)

// Format is the number of the archive's form; it grows when readers have to know.
const Format = 1

// About is the first member, about.json: what is needed to begin to read.
type About struct {
	Format  int            `json:"format"`
	Store   string         `json:"store"` // sto_…
	Mode    principal.Mode `json:"mode"`
	Name    string         `json:"name"`
	Address string         `json:"address"`
	Cell    string         `json:"cell"`
	Schema  string         `json:"schema"`  // as it was called, and is in restore.sql
	Version int            `json:"version"` // of its tables
	TakenAt time.Time      `json:"taken_at"`
	Program string         `json:"program"` // the version that wrote it
	// Keys are the IDs of the ring that sealed columns were sealed under, or some of them.
	Keys []string `json:"keys"`
}

// Manifest is the last member, manifest.json; without it the archive is not whole.
type Manifest struct {
	Tables    []Table           `json:"tables"`    // of the store, in an order in which they can be filled
	Sequences map[string]int64  `json:"sequences"` // the last number drawn
	Members   map[string]string `json:"members"`   // SHA-256 of each other member of the file, in hexadecimal digits
}

// Rows are all rows of the store's tables.
func (m *Manifest) Rows() (n int64) {
	for _, t := range m.Tables {
		n += t.Rows
	}
	return n
}

// oneInstant has everything be seen as of one instant.
const oneInstant = `set transaction isolation level repeatable read read only`

// beside are the rows of a store that the cell's own tables hold; $ stands for its role.
var beside = map[string]string{
	"deliveries": `select * from cell.deliveries where store = $`,
	"usage_days": `select * from cell.usage_days where store = $`,
	"requests":   `select * from cell.requests where store = $`,
}

// inControl are the rows of a store that the control database holds, without what could be
// used to sign in; $ stands for its ID. They are for people to read, and are never put back.
var inControl = map[string]string{
	"stores":      `select * from stores where id = $`,
	"members":     `select a.email, a.name, m.role, m.role_id, m.created_at from members m join accounts a on a.id = m.account_id where m.store_id = $`,
	"roles":       `select * from roles where store_id = $`,
	"invitations": `select id, email, role, role_id, expires_at, accepted_at, revoked_at, created_at from invitations where store_id = $`,
	"api_keys":    `select id, kind, mode, name, prefix, last4, scopes, allowed_ips, allowed_origins, expires_at, revoked_at, created_at from api_keys where store_id = $`,
	"domains":     `select id, name, state, main, canonical, verified_at, created_at from domains where store_id = $`,
}

// writer writes members of a tar and remembers their checksums.
type writer struct {
	tar     *tar.Writer
	at      time.Time
	members map[string]string
	scratch *os.File // a tar wants each member's size beforehand
}

// member writes one member that fill produces.
func (w *writer) member(name string, fill func(io.Writer) error) error {
	if err := w.scratch.Truncate(0); err != nil {
		return err
	}
	if _, err := w.scratch.Seek(0, io.SeekStart); err != nil {
		return err
	}
	sum := sha256.New()
	if err := fill(io.MultiWriter(w.scratch, sum)); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	size, err := w.scratch.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	if _, err := w.scratch.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if err := w.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: size, ModTime: w.at, Typeflag: tar.TypeReg}); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if _, err := io.Copy(w.tar, w.scratch); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	w.members[name] = hex.EncodeToString(sum.Sum(nil))
	return nil
}

func (w *writer) json(name string, value any) error {
	return w.member(name, func(out io.Writer) error {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(value)
	})
}

// Write writes the archive of the side of a store that lies at ref in a cell of db, as of one
// instant. What the control database holds of it comes from control; nil leaves that out. Of
// about, what the databases say is filled in.
func Write(ctx context.Context, db, control *postgres.DB, ref postgres.StoreRef, about About, out io.Writer) (_ About, m Manifest, err error) {
	schema, role := postgres.SchemaName(ref.Schema), postgres.RoleName(ref.Cell, ref.Schema)
	about.Format, about.Store, about.Mode, about.Cell, about.Schema = Format, ref.ID, ref.Mode, ref.Cell, schema
	scratch, err := os.CreateTemp("", "stoa-archive-")
	if err != nil {
		return about, m, fmt.Errorf("archive store %s: %w", ref.ID, err)
	}
	defer func() { _, _ = scratch.Close(), os.Remove(scratch.Name()) }()
	zip := gzip.NewWriter(out)
	w := &writer{tar: tar.NewWriter(zip), members: map[string]string{}, scratch: scratch}
	err = db.InCell(ctx, ref.Cell, func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, oneInstant); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, `select version, clock_timestamp() from cell.schema_versions where number = $1`, ref.Schema).Scan(&about.Version, &about.TakenAt); err != nil {
			return fmt.Errorf("version of %s: %w", schema, err)
		}
		w.at = about.TakenAt
		if err := w.json("about.json", about); err != nil {
			return err
		}
		if m.Tables, err = Digests(ctx, tx, schema); err != nil {
			return err
		}
		for _, t := range m.Tables {
			if err := w.copied(ctx, tx, "data/"+t.Name+".csv", columnsOf(schema, t)); err != nil {
				return err
			}
		}
		for name, query := range beside {
			if err := w.copied(ctx, tx, "cell/"+name+".csv", "("+strings.ReplaceAll(query, "$", "'"+role+"'")+")"); err != nil {
				return err
			}
		}
		m.Sequences, err = sequences(ctx, tx, schema)
		return err
	})
	if err == nil && control != nil {
		err = control.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			for name, query := range inControl {
				if err := w.copied(ctx, tx, "control/"+name+".csv", "("+strings.ReplaceAll(query, "$", "'"+ref.ID+"'")+")"); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err == nil {
		err = w.member("restore.sql", func(out io.Writer) error { return script(out, about, m) })
	}
	if err == nil {
		m.Members = w.members
		err = w.json("manifest.json", m)
	}
	if err == nil {
		err = w.tar.Close()
	}
	if err == nil {
		err = zip.Close()
	}
	if err != nil {
		return about, m, fmt.Errorf("archive store %s: %w", ref.ID, err)
	}
	return about, m, nil
}

// columnsOf names a table with the columns that are written.
func columnsOf(schema string, t Table) string {
	columns := make([]string, len(t.Columns))
	for i, name := range t.Columns {
		columns[i] = pgx.Identifier{name}.Sanitize()
	}
	return pgx.Identifier{schema, t.Name}.Sanitize() + " (" + strings.Join(columns, ", ") + ")"
}

// copied writes what COPY gives of a table or a query.
func (w *writer) copied(ctx context.Context, tx *postgres.Tx, member, from string) error {
	return w.member(member, func(out io.Writer) error {
		_, err := tx.Conn().PgConn().CopyTo(ctx, out, `copy `+from+` to stdout with (format csv, header)`)
		return err
	})
}

func sequences(ctx context.Context, tx *postgres.Tx, schema string) (map[string]int64, error) {
	last := map[string]int64{}
	rows, err := tx.Query(ctx, `select sequencename, last_value from pg_sequences where schemaname = $1 and last_value is not null`, schema)
	if err != nil {
		return nil, err
	}
	var name string
	var value int64
	_, err = pgx.ForEachRow(rows, []any{&name, &value}, func() error {
		last[name] = value
		return nil
	})
	return last, err
}

// script is restore.sql: it makes the schema and fills it, by psql alone.
func script(out io.Writer, about About, m Manifest) error {
	var text strings.Builder
	fmt.Fprintf(&text, `-- The %s side of the store %s (%s), as of %s.
-- To read it, unpack this archive and run, in its folder, with Postgres 15 or later:
--
--     createdb store && psql -v ON_ERROR_STOP=1 -d store -f restore.sql

begin;
create schema if not exists ext;
create extension if not exists pg_trgm schema ext;
create extension if not exists unaccent schema ext;
create schema %s;
set local search_path to %[5]s, ext;
`, about.Mode, about.Store, about.Address, about.TakenAt.UTC().Format(time.RFC3339), about.Schema)
	for _, step := range migrations.StoreSteps()[:about.Version] {
		text.WriteString(step.SQL + "\n")
	}
	for _, t := range m.Tables {
		fmt.Fprintf(&text, "\\copy %s from 'data/%s.csv' with (format csv, header)\n", columnsOf(about.Schema, t), t.Name)
	}
	for name, value := range m.Sequences {
		fmt.Fprintf(&text, "select setval('%s', %d);\n", name, value)
	}
	text.WriteString("commit;\n")
	_, err := io.WriteString(out, text.String())
	return err
}
