package keeping_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/stoacommerce/stoa/app/keeping"
	"github.com/stoacommerce/stoa/platform/files"
	"github.com/stoacommerce/stoa/platform/files/filestest"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// orphans lists what nothing owns, as "kind key", sorted.
func (h *house) orphans(t *testing.T) (list []string) {
	t.Helper()
	err := h.Orphans(t.Context(), func(o keeping.Orphan) error {
		list = append(list, o.Kind+" "+o.Key)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	return list
}

// put stores a file as old as that.
func (h *house) put(t *testing.T, folder string, in files.Store, age time.Duration, keys ...string) {
	t.Helper()
	for _, key := range keys {
		contentType, _ := files.ContentType(key)
		if _, err := in.Put(t.Context(), key, strings.NewReader("12345"), contentType); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(-age)
		if err := os.Chtimes(filepath.Join(h.folder, folder, key), at, at); err != nil {
			t.Fatal(err)
		}
	}
}

const old = 25 * time.Hour

// TestWhatNothingOwnsIsSwept has files of every kind, with and without an owner, old and new.
func TestWhatNothingOwnsIsSwept(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	ctx, ref := h.stocked(t, 1)
	sandbox := h.Sandbox(t, ctx)
	of := func(key string) string { return ref.ID + "/" + key }
	sizes := func(keys ...string) string {
		var list []string
		for _, key := range keys {
			list = append(list, fmt.Sprintf(`{"width": 1, "height": 1, "key": %q}`, key))
		}
		return "[" + strings.Join(list, ",") + "]"
	}
	// An image has two sizes of three; another was deleted and can come back; one is still waited for.
	h.exec(t, ctx, `insert into images (id, position, sizes) values ('img_shown', 0, $1::jsonb), ('img_awaited', 1, '[]')`,
		sizes(of("live/products/img_shown/480.jpg"), of("live/products/img_shown/960.jpg")))
	h.exec(t, ctx, `insert into audit_kept (entry_id, kept) values ('aud_1', jsonb_build_object('images', jsonb_build_array(jsonb_build_object('id', 'img_kept', 'sizes', $1::jsonb)))), ('aud_2', '{"products": []}')`,
		sizes(of("live/products/img_kept/480.jpg")))
	h.exec(t, sandbox, `insert into images (id, position, sizes) values ('img_test', 0, $1::jsonb)`, sizes(of("test/products/img_test/480.png")))
	operation := `insert into operations (id, kind, state, counts, created_by, input, file) values ($1, $2, 'running', '{}', '{}', $3::jsonb, $4::jsonb)`
	h.exec(t, ctx, operation, "op_import", "import", `{"key": "`+of("live/imports/op_import.csv")+`"}`, nil)
	h.exec(t, ctx, operation, "op_export", "export.products", `{}`, `{"parts": ["`+of("live/exports/op_export/part_1.csv")+`"]}`)
	h.exec(t, ctx, operation, "op_over", "export.products", `{}`, nil)

	owned := []string{
		of("live/products/img_shown/480.jpg"), of("live/products/img_shown/480.webp"), of("live/products/img_shown/960.jpg"), of("live/products/img_kept/480.jpg"), of("live/products/img_kept/480.webp"),
		of("test/products/img_test/480.png"), of("live/imports/op_import.csv"), of("live/exports/op_export/part_1.csv"), of("live/of-a-later-version/a.json"),
	}
	lost := []string{
		"picture " + of("live/products/img_shown/1440.jpg"), "picture " + of("live/products/img_gone/480.jpg"), "picture " + of("live/products/img_gone/480.webp"),
		"picture " + of("test/products/img_shown/480.jpg"), "import " + of("live/imports/op_gone.csv"),
		"export " + of("live/exports/op_export/part_2.csv"), "export " + of("live/exports/op_over/part_1.csv"), "export " + of("test/exports/op_gone/part_1.csv"),
	}
	young := []string{of("live/products/img_awaited/480.jpg"), of("live/products/img_coming/480.jpg"), of("live/imports/op_coming.csv"), of("live/exports/op_export/part_3.csv")}
	h.put(t, "files", h.config.Files, old, owned...)
	h.put(t, "files", h.config.Files, 23*time.Hour, young...)
	for _, orphan := range lost {
		_, key, _ := strings.Cut(orphan, " ")
		h.put(t, "files", h.config.Files, old, key)
	}

	// Stores that are purged, and that nobody knows, or knew a month ago.
	_, purged := h.stocked(t, 1)
	h.exec(t, t.Context(), `update stores set status = 'purged' where id = $1`, purged.ID)
	h.put(t, "files", h.config.Files, old, purged.ID+"/live/products/img_1/1.jpg")
	h.put(t, "files", h.config.Files, 29*24*time.Hour, "sto_unborn/live/products/img_1/1.jpg")
	h.put(t, "files", h.config.Files, 31*24*time.Hour, "sto_unknown/live/products/img_1/1.jpg", "elsewhere/a.jpg")
	lost = append(lost, "store "+purged.ID+"/live/products/img_1/1.jpg", "store sto_unknown/live/products/img_1/1.jpg")

	// Archives that the ledger knows and does not, and configurations with and without their list.
	id, err := h.Ask(t.Context(), keeping.Store, ref.ID+"/live", nil, "test")
	if err != nil {
		t.Fatal(err)
	}
	if run := h.done(t, id); run.State != "succeeded" {
		t.Fatalf("archived: %+v", run)
	}
	kept, err := h.StoreArchives(t.Context(), ref.ID+"/live")
	if err != nil || len(kept) != 1 {
		t.Fatal(kept, err)
	}
	long := time.Now().Add(-48 * time.Hour)
	if err := os.Chtimes(filepath.Join(h.folder, "archives", kept[0].Key), long, long); err != nil {
		t.Fatal(err)
	}
	h.put(t, "archives", h.config.Archives, old, "stores/"+ref.ID+"/live-1.tar.gz.age", "configuration/20260101T000000Z.txt.age", "configuration/20260102T000000Z.txt.age", "lists/20260102T000000Z.txt")
	h.put(t, "archives", h.config.Archives, 23*time.Hour, "stores/"+ref.ID+"/live-2.tar.gz.age", "configuration/20260103T000000Z.txt")
	lost = append(lost, "archive stores/"+ref.ID+"/live-1.tar.gz.age", "configuration configuration/20260101T000000Z.txt.age")

	// A copy beside the store whose restore was broken off before it was noted, and one that is in use.
	var beside [2]postgres.StoreRef
	for i := range beside {
		if beside[i], err = h.config.Runner.Beside(t.Context(), ref, 1); err != nil {
			t.Fatal(err)
		}
	}
	h.exec(t, t.Context(), `update schemas set created_at = now() - interval '2 days' where state = 'beside'`)
	h.exec(t, t.Context(), `insert into store_restores (id, store_id, mode, schema, at, state) values ('rst_1', $1, 'live', $2, now(), 'ready')`, ref.ID, beside[1].Schema)
	err = h.Platform.DB.InCell(t.Context(), h.Cell, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, `insert into `+postgres.SchemaName(beside[1].Schema)+`.images (id, position, sizes) values ('img_restored', 0, $1::jsonb)`, sizes(of("live/products/img_restored/480.jpg")))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	h.put(t, "files", h.config.Files, old, of("live/products/img_restored/480.jpg"))
	owned = append(owned, of("live/products/img_restored/480.jpg"))
	lost = append(lost, "schema "+h.Cell+"/"+postgres.SchemaName(beside[0].Schema))

	// A draft of a writer who was killed.
	draft := filepath.Join(h.folder, "files", ".tmp", "draft")
	if err := os.WriteFile(draft, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(draft, long, long); err != nil {
		t.Fatal(err)
	}

	slices.Sort(lost)
	if got := h.orphans(t); !slices.Equal(got, lost) {
		t.Errorf("nothing owns\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(lost, "\n"))
	}
	swept, err := h.Sweep(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]keeping.Swept{"picture": {4, 20}, "import": {1, 5}, "export": {3, 15}, "store": {2, 10}, "archive": {1, 5}, "configuration": {1, 5}, "schema": {1, 0}, "draft": {1, 0}}
	for _, kind := range keeping.OrphanKinds {
		if swept[kind] != want[kind] {
			t.Errorf("of %s was swept %+v, want %+v", kind, swept[kind], want[kind])
		}
	}
	if again := h.orphans(t); len(again) > 0 {
		t.Errorf("swept, there still are %q", again)
	}
	for _, key := range append(append(owned, young...), "sto_unborn/live/products/img_1/1.jpg", "elsewhere/a.jpg") {
		f, err := h.config.Files.Open(t.Context(), key)
		if err != nil {
			t.Errorf("swept with the others: %v", err)
			continue
		}
		_ = f.Close()
	}
}

// TestOfACellThatIsDownNothingIsSwept asks an owner who cannot be reached.
func TestOfACellThatIsDownNothingIsSwept(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	_, ref := h.stocked(t, 1)
	key := ref.ID + "/live/products/img_gone/480.jpg"
	h.put(t, "files", h.config.Files, old, key)
	h.exec(t, t.Context(), `insert into cells (name, max_stores) values ('away', 1)`)
	h.exec(t, t.Context(), `update schemas set cell = 'away' where store_id = $1`, ref.ID)
	if swept, err := h.Sweep(t.Context()); err == nil || !strings.Contains(err.Error(), ref.ID) || swept[keeping.OrphanPicture].Count != 0 {
		t.Errorf("swept %+v: %v", swept, err)
	}
	h.exec(t, t.Context(), `update schemas set cell = $2 where store_id = $1`, ref.ID, h.Cell)
	if swept, err := h.Sweep(t.Context()); err != nil || swept[keeping.OrphanPicture].Count != 1 {
		t.Errorf("swept %+v: %v", swept, err)
	}
}

// TestWhatNothingOwnsInABucket sweeps a bucket's archives, and uploads that were broken off.
func TestWhatNothingOwnsInABucket(t *testing.T) {
	t.Parallel()
	address := filestest.Bucket(t)
	bucket, err := files.OpenS3(t.Context(), address+"/below")
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	client, err := minio.NewCore(u.Host, &minio.Options{Creds: credentials.NewStaticV4(filestest.AccessKey, filestest.Secret, "")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.NewMultipartUpload(t.Context(), "files", "below/stores/sto_1/live-1.tar.gz", minio.PutObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"sto_1/live/a.jpg", "sto_2/live/a.jpg"} {
		if _, err := bucket.Put(t.Context(), key, strings.NewReader("x"), "image/jpeg"); err != nil {
			t.Fatal(err)
		}
	}
	var roots []string
	for root, err := range bucket.Roots(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		roots = append(roots, root)
	}
	if !slices.Equal(roots, []string{"sto_1", "sto_2"}) {
		t.Errorf("roots are %q", roots)
	}
	for _, c := range []struct {
		age  time.Duration
		want int
	}{{time.Hour, 0}, {0, 1}, {0, 0}} {
		if n, err := bucket.Clear(t.Context(), c.age); n != c.want || err != nil {
			t.Errorf("of uploads that are %v old %d were cleared (%v)", c.age, n, err)
		}
	}
}
