package archive_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/embedded/testenv"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/tenants/archive"
)

// stocked is a store with rows that are awkward to write as text.
func stocked(t *testing.T, p *testdb.Platform) (context.Context, postgres.StoreRef) {
	t.Helper()
	ctx := p.Store(t)
	ref, _ := postgres.StoreFrom(ctx)
	err := p.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		for _, statement := range []string{
			`insert into categories (id, handle, name, path) values ('cat_1', 'a', E'Tables, "low"\nand \\ high', 'cat_1/')`,
			`insert into categories (id, parent_id, handle, name, path) values ('cat_2', 'cat_1', 'b', '', 'cat_1/cat_2/')`,
			`insert into products (id, handle, title, status, tags, category_id) select 'prod_' || n, 'p' || n, 'Ω ' || n, 'active', array['', 'null', 'a,b'], 'cat_2' from generate_series(1, 50) n`,
			`insert into events (id, type, object_id, object_sequence, data) values ('evt_1', 'product.created', 'prod_1', 1, '{"a": null}')`,
			`select nextval('order_numbers')`,
		} {
			if _, err := tx.Exec(ctx, statement); err != nil {
				t.Errorf("%s: %v", statement, err)
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ctx, ref
}

func digests(t *testing.T, p *testdb.Platform, ref postgres.StoreRef) (list []archive.Table) {
	t.Helper()
	err := p.DB.InCell(t.Context(), ref.Cell, func(ctx context.Context, tx *postgres.Tx) (err error) {
		list, err = archive.Digests(ctx, tx, postgres.SchemaName(ref.Schema))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func write(t *testing.T, p *testdb.Platform, ref postgres.StoreRef) ([]byte, archive.Manifest) {
	t.Helper()
	var out bytes.Buffer
	_, m, err := archive.Write(t.Context(), p.DB, p.DB, ref, archive.About{Name: "Tables", Address: "tables"}, &out)
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), m
}

func TestAnArchiveComesBackRowByRow(t *testing.T) {
	t.Parallel()
	p := testdb.Open(t)
	ctx, ref := stocked(t, p)
	raw, m := write(t, p, ref)
	if m.Rows() < 54 || m.Sequences["order_numbers"] != 1001 {
		t.Errorf("%d rows, sequences %v", m.Rows(), m.Sequences)
	}
	r, err := archive.Open(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	beside, err := p.Runner.Beside(t.Context(), ref, r.About.Version)
	if err != nil {
		t.Fatal(err)
	}
	load := func(ref postgres.StoreRef, r *archive.Reader) error {
		return p.DB.InCell(ctx, ref.Cell, func(ctx context.Context, tx *postgres.Tx) error {
			_, err := r.Load(ctx, tx, postgres.SchemaName(ref.Schema))
			return err
		})
	}
	if err := load(beside, r); err != nil {
		t.Fatal(err)
	}
	if others := archive.Differences(digests(t, p, ref), digests(t, p, beside)); len(others) > 0 {
		t.Errorf("what came back differs: %v", others)
	}

	// One letter is changed, and a row is cut off: both are seen, and nothing is left.
	for what, broken := range map[string][]byte{
		"changed": repack(t, raw, func(name string, body []byte) []byte {
			if name != "data/products.csv" {
				return body
			}
			return bytes.Replace(body, []byte("Ω 7"), []byte("Ω 8"), 1)
		}),
		"without a table": repack(t, raw, func(name string, body []byte) []byte {
			if name == "data/events.csv" {
				return nil
			}
			return body
		}),
		"cut off": raw[:len(raw)-200],
	} {
		r, err := archive.Open(bytes.NewReader(broken))
		if err != nil {
			t.Fatal(err)
		}
		fresh, err := p.Runner.Beside(t.Context(), ref, r.About.Version)
		if err != nil {
			t.Fatal(err)
		}
		if err := load(fresh, r); !errors.Is(err, archive.ErrBroken) {
			t.Errorf("an archive that is %s: %v", what, err)
		}
		for _, table := range digests(t, p, fresh) {
			if table.Rows > 0 {
				t.Errorf("an archive that is %s left %d rows of %s", what, table.Rows, table.Name)
			}
		}
	}
}

// repack changes members of an archive; nil leaves one out.
func repack(t *testing.T, raw []byte, change func(name string, body []byte) []byte) []byte {
	t.Helper()
	zip, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	from, to := tar.NewReader(zip), tar.NewWriter(zipped)
	for {
		header, err := from.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(from)
		if err != nil {
			t.Fatal(err)
		}
		if body = change(header.Name, body); body == nil {
			continue
		}
		header.Size = int64(len(body))
		if err := to.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := to.Write(body); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(to.Close(), zipped.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestAnArchiveIsReadByPsqlAlone unpacks an archive and follows its own instructions.
func TestAnArchiveIsReadByPsqlAlone(t *testing.T) {
	t.Parallel()
	p := testdb.Open(t)
	_, ref := stocked(t, p)
	raw, _ := write(t, p, ref)
	dir, names := t.TempDir(), map[string]bool{}
	repack(t, raw, func(name string, body []byte) []byte {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, body, 0o600)); err != nil {
			t.Fatal(err)
		}
		names[name] = true
		return body
	})
	for _, name := range []string{"about.json", "manifest.json", "restore.sql", "data/products.csv", "cell/deliveries.csv", "control/stores.csv", "control/members.csv"} {
		if !names[name] {
			t.Errorf("%s is missing", name)
		}
	}
	database := testenv.Database(t)
	psql := exec.Command("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, "-f", "restore.sql")
	psql.Dir = dir
	if out, err := psql.CombinedOutput(); err != nil {
		t.Fatalf("psql: %v\n%s", err, out)
	}
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	var products int
	var text string
	var next int64
	schema := postgres.SchemaName(ref.Schema)
	err = conn.QueryRow(t.Context(), `select (select count(*) from `+schema+`.products), (select name from `+schema+`.categories where id = 'cat_1'), nextval('`+schema+`.order_numbers')`).Scan(&products, &text, &next)
	if err != nil {
		t.Fatal(err)
	}
	if products != 50 || !strings.Contains(text, "\"low\"\nand \\ high") || next != 1002 {
		t.Errorf("psql read %d products, %q, and the next number is %d", products, text, next)
	}
}
