package handlers_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/openapi/handlers"
	"github.com/stoacommerce/stoa/platform/files"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/images"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/tenants/audit"
	"github.com/stoacommerce/stoa/web/media"
)

// gallery is a door before the catalogue with pictures.
type gallery struct {
	*apitest.API
	disk     *files.Disk
	pictures *catalog.Pictures
}

func newGallery(t *testing.T) *gallery {
	disk, err := files.OpenDisk(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = disk.Close() })
	db, service := testdb.Open(t).DB, catalog.New(catalog.Unlimited{})
	pictures := &catalog.Pictures{Files: disk, Processor: images.New(images.Options{MaxBytes: 200 << 10})}
	api := apitest.New(t,
		(&handlers.Products{DB: db, Catalog: service, ShopURL: shopURL}).Operations(),
		(&handlers.Variants{DB: db, Catalog: service, ShopURL: shopURL}).Operations(),
		(&handlers.Images{DB: db, Catalog: service, Pictures: pictures, ShopURL: shopURL}).Operations(),
		(&handlers.ShopCatalog{DB: db, ShopURL: shopURL, AcceptsOrders: open, Editions: catalog.NewEditions(db)}).Operations(),
	)
	return &gallery{api, disk, pictures}
}

// keys are the keys of all files of the context's store.
func (g *gallery) keys(t *testing.T, ctx context.Context) []string {
	t.Helper()
	ref, _ := postgres.StoreFrom(ctx)
	var list []string
	for key, err := range g.disk.Keys(ctx, ref.ID+"/") {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, key)
	}
	slices.Sort(list)
	return list
}

func picture(t *testing.T, width, height int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for x := range width {
		for y := range height {
			img.Set(x, y, color.RGBA{uint8(x), uint8(y), 120, 255})
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// form is a multipart body of fields, in order, and the header that goes with it.
func form(t *testing.T, fields ...any) ([]byte, string) {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for i := 0; i < len(fields); i += 2 {
		name := fields[i].(string)
		switch value := fields[i+1].(type) {
		case string:
			_ = w.WriteField(name, value)
		case []byte:
			part, err := w.CreateFormFile(name, "whatever.exe")
			if err != nil {
				t.Fatal(err)
			}
			_, _ = part.Write(value)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return body.Bytes(), "Content-Type: " + w.FormDataContentType()
}

func TestImages(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	ctx, other := g.Platform.Store(t), g.Platform.Store(t)
	key, stranger := g.Staff(ctx), g.Staff(other)
	product := g.Do(t, key, "POST", "/v1/products", shirt()).Want(201)
	path := "/v1/products/" + product.String("id") + "/images"
	upload := func(key string, fields ...any) *apitest.Answer {
		body, header := form(t, fields...)
		return g.Do(t, key, "POST", path, body, header)
	}
	first := upload(key, "alt", "A folded shirt", "file", picture(t, 600, 300)).Want(201)
	ref, _ := postgres.StoreFrom(ctx)
	id := first.String("id")
	base := "https://shop-" + ref.ID[len(ref.ID)-12:] + ".stoa.example/media/" + ref.ID + "/live/products/" + id + "/"
	if first.String("url") != base+"600.jpg" || first.String("alt") != "A folded shirt" || first.Get("width") != 600.0 || first.Get("height") != 300.0 ||
		first.String("media_type") != "image/jpeg" || first.Get("position") != 0.0 || first.String("sizes.0.url") != base+"160.jpg" {
		t.Errorf("made: %s", first.Body)
	}
	stored := g.keys(t, ctx)
	if len(stored) != 6 || !slices.ContainsFunc(stored, func(key string) bool { return strings.HasSuffix(key, "/600.webp") }) {
		t.Errorf("files: %v", stored)
	}
	second := upload(key, "file", picture(t, 100, 100)).Want(201)

	// What is refused leaves no file.
	before := g.keys(t, ctx)
	var transparent bytes.Buffer
	_ = png.Encode(&transparent, image.NewNRGBA(image.Rect(0, 0, 3, 3)))
	for _, try := range []struct {
		status int
		code   string
		fields []any
	}{
		{422, "image_invalid", []any{"file", []byte("<svg onload='alert(1)'/>")}},
		{422, "image_invalid", []any{"file", picture(t, 50, 50)[:300]}},
		{413, "body_too_large", []any{"file", bytes.Repeat([]byte{0}, 300<<10)}},
		{400, "invalid_request", []any{"alt", "x"}},
		{400, "invalid_request", []any{"file", transparent.Bytes(), "file", transparent.Bytes()}},
		{400, "invalid_request", []any{"file", transparent.Bytes(), "colour", "red"}},
		{400, "invalid_request", []any{"file", transparent.Bytes(), "alt", strings.Repeat("x", 513)}},
		{400, "invalid_request", []any{"file", transparent.Bytes(), "alt", "\xff"}},
		{422, "image_invalid", []any{"file", transparent.Bytes(), "alt", "a\tb"}},
	} {
		upload(key, try.fields...).WantProblem(try.status, try.code)
	}
	whole, header := form(t, "alt", "a", "file", picture(t, 50, 50))
	g.Do(t, key, "POST", path, whole[:len(whole)/2], header).WantProblem(400, "invalid_body")
	g.Do(t, key, "POST", path, "no form", "Content-Type: multipart/form-data; boundary=x").WantProblem(400, "invalid_request")
	g.Do(t, key, "POST", path, "no form", "Content-Type: multipart/form-data").WantProblem(400, "invalid_body")
	g.Do(t, key, "POST", path, "{}").WantProblem(415, "unsupported_media_type")
	upload(stranger, "file", transparent.Bytes()).WantProblem(404, "not_found")
	if after := g.keys(t, ctx); !slices.Equal(before, after) {
		t.Errorf("files were left: %v", after)
	}
	if n := len(g.keys(t, other)); n != 0 {
		t.Errorf("%d files in the other store", n)
	}
	// A plan may allow less, and a picture of few bytes may claim to be of many pixels.
	g.pictures.MaxBytes = func(context.Context) int64 { return 1 }
	wrong := upload(key, "file", picture(t, 50, 50)).WantProblem(422, "plan_limit")
	if wrong.String("errors.0.pointer") != "/file" || wrong.String("errors.0.code") != "too_many_bytes" {
		t.Errorf("too large for the plan: %s", wrong.Body)
	}
	g.pictures.MaxBytes = nil
	bomb := transparent.Bytes()
	bomb = append(append(slices.Clone(bomb[:16]), 0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30), bomb[24:]...)
	binary.BigEndian.PutUint32(bomb[29:], crc32.ChecksumIEEE(bomb[12:29]))
	if got := upload(key, "file", bomb).WantProblem(422, "image_invalid").String("errors.0.code"); got != "too_many_pixels" {
		t.Errorf("a bomb is refused for %s", got)
	}
	if after := g.keys(t, ctx); !slices.Equal(before, after) {
		t.Errorf("files were left: %v", after)
	}
	// A repetition with the same key is answered, and stores nothing.
	body, header := form(t, "file", transparent.Bytes())
	once := g.Do(t, key, "POST", path, body, header, "Idempotency-Key: a").Want(201)
	n := len(g.keys(t, ctx))
	if again := g.Do(t, key, "POST", path, body, header, "Idempotency-Key: a").Want(201); again.String("id") != once.String("id") || len(g.keys(t, ctx)) != n {
		t.Errorf("again: %s, %v", again.Body, g.keys(t, ctx))
	}
	// The key of another picture, or of the same with another text, is refused.
	larger, largerHeader := form(t, "file", append(transparent.Bytes(), 0))
	g.Do(t, key, "POST", path, larger, largerHeader, "Idempotency-Key: a").WantProblem(422, "idempotency_key_reused")
	if len(g.keys(t, ctx)) != n {
		t.Errorf("what was refused is kept: %v", g.keys(t, ctx))
	}
	if once.String("media_type") != "image/png" {
		t.Errorf("a transparent picture became %s", once.Body)
	}

	at := path + "/" + id
	moved := g.Do(t, key, "PATCH", at, object{"alt": nil, "position": 9}).Want(200)
	if moved.Get("alt") != nil || moved.Get("position") != 2.0 {
		t.Errorf("moved: %s", moved.Body)
	}
	g.Do(t, key, "PATCH", at, object{"position": 2}, `If-Match: "1"`).WantProblem(412, "stale")
	g.Do(t, key, "DELETE", at, nil, `If-Match: "1"`).WantProblem(412, "stale")
	g.Do(t, key, "PATCH", at, object{"position": 2}, "If-Match: "+moved.Header.Get("ETag"), apitest.ChangesNothing).Want(200)
	g.Do(t, key, "PATCH", at, object{"alt": "a\nb"}).WantProblem(422, "image_invalid")
	g.Do(t, stranger, "PATCH", at, object{"alt": "mine"}).WantProblem(404, "not_found")
	g.Do(t, stranger, "DELETE", at, nil).WantProblem(404, "not_found")
	g.Do(t, key, "PATCH", path+"/"+ids.New("img"), object{"alt": "x"}).WantProblem(404, "not_found")
	variant := "/v1/variants/" + product.String("variants.0.id")
	if got := g.Do(t, key, "PATCH", variant, object{"image_id": id}).Want(200).String("image_id"); got != id {
		t.Errorf("variant's image: %s", got)
	}
	shop := g.Do(t, g.Publishable(ctx), "GET", "/v1/shop/products/linen-shirt", nil).Want(200)
	if shop.String("images.0.id") != second.String("id") || shop.String("images.2.sizes.2.url") != base+"600.jpg" || shop.String("variants.0.image_id") != id {
		t.Errorf("in the shop: %s", shop.Body)
	}

	// Deleted in a dry run: all is there. Deleted: the files go once it cannot come back any more.
	g.Do(t, key, "DELETE", at+"?dry_run=true", nil).Want(204)
	g.Do(t, key, "DELETE", at, nil).Want(204)
	now := g.Do(t, key, "GET", "/v1/products/"+product.String("id"), nil).Want(200)
	if now.Get("variants.0.image_id") != nil || now.Get("images.2") != nil || now.Get("images.1.position") != 1.0 {
		t.Errorf("after the deletion: %s", now.Body)
	}
	// And so do those of a product.
	g.Do(t, key, "DELETE", "/v1/products/"+product.String("id"), nil).Want(204)
	if left := g.keys(t, ctx); len(left) == 0 {
		t.Error("the product could not come back with its pictures")
	}
	err := g.Platform.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		var entries []string
		err := tx.QueryRow(ctx, `select array_agg(entry_id) from audit_kept`).Scan(&entries)
		for _, entry := range entries {
			var kept json.RawMessage
			if _, kept, err = audit.Take(ctx, tx, entry); err == nil {
				err = catalog.ForgetRemoved(tx, []json.RawMessage{kept})
			}
			if err != nil {
				break
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	g.work(t, ctx)
	if left := g.keys(t, ctx); len(left) != 0 {
		t.Errorf("files were left: %v", left)
	}
	if got := audits(t, g.API, ctx, id); got != "image.create image.update image.delete" {
		t.Errorf("audit: %s", got)
	}
}

// work does the jobs that wait in the store's outbox.
func (g *gallery) work(t *testing.T, ctx context.Context) {
	t.Helper()
	ref, _ := postgres.StoreFrom(ctx)
	var all [][]byte
	err := g.Platform.DB.InCell(ctx, g.Platform.Cell, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select array_agg(args) from cell.outbox where store = $1 and kind = $2`,
			postgres.RoleName(ref.Cell, ref.Schema), catalog.JobDeleteFiles).Scan(&all)
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 {
		t.Errorf("%d jobs", len(all))
	}
	for _, raw := range all {
		var args catalog.DeleteFilesArgs
		if err := json.Unmarshal(raw, &args); err != nil {
			t.Fatal(err)
		}
		if err := g.pictures.DeleteFiles(ctx, args); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMedia(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	ctx := g.Platform.Store(t)
	stored, err := g.pictures.Store(ctx, "", bytes.NewReader(picture(t, 20, 20)))
	if err != nil {
		t.Fatal(err)
	}
	ref, _ := postgres.StoreFrom(ctx)
	if _, err := g.disk.Put(ctx, ref.ID+"/live/products/secret.csv", strings.NewReader("a,b"), "text/csv"); err != nil {
		t.Fatal(err)
	}
	handler := &media.Handler{Files: g.disk, Log: slog.New(slog.DiscardHandler)}
	get := func(ctx context.Context, method, path string, headers ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(ctx, method, path, nil)
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	path := media.Prefix + stored.Sizes[0].Key
	got := get(ctx, "GET", path)
	if got.Code != http.StatusOK || got.Header().Get("Content-Type") != "image/jpeg" || got.Body.Len() != stored.Bytes ||
		got.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" || got.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%d %v", got.Code, got.Header())
	}
	if got.Header().Get("Vary") != "Accept" {
		t.Errorf("varies by %q", got.Header().Get("Vary"))
	}
	for accept, want := range map[string]string{"image/avif,image/webp,image/*,*/*;q=0.8": "image/webp", "image/webp;q=0, */*": "image/jpeg", "*/*": "image/jpeg", "image/webp;;": "image/jpeg"} {
		small := get(ctx, "GET", path, "Accept", accept)
		if small.Code != http.StatusOK || small.Header().Get("Content-Type") != want || small.Header().Get("Vary") != "Accept" || want == "image/webp" && small.Body.Len() >= stored.Bytes {
			t.Errorf("%s: %d %v, %d bytes of %d", accept, small.Code, small.Header(), small.Body.Len(), stored.Bytes)
		}
	}
	if err := g.disk.Delete(ctx, files.Beside(stored.Sizes[0].Key)); err != nil {
		t.Fatal(err)
	}
	if plain := get(ctx, "GET", path, "Accept", "image/webp"); plain.Header().Get("Content-Type") != "image/jpeg" {
		t.Errorf("without a WebP: %d %v", plain.Code, plain.Header())
	}
	if head := get(ctx, "HEAD", path); head.Code != http.StatusOK || head.Body.Len() != 0 {
		t.Errorf("HEAD: %d, %d bytes", head.Code, head.Body.Len())
	}
	if part := get(ctx, "GET", path, "Range", "bytes=0-9"); part.Code != http.StatusPartialContent || part.Body.Len() != 10 {
		t.Errorf("range: %d", part.Code)
	}
	if known := get(ctx, "GET", path, "If-Modified-Since", got.Header().Get("Last-Modified")); known.Code != http.StatusNotModified {
		t.Errorf("known: %d", known.Code)
	}
	if post := get(ctx, "POST", path); post.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", post.Code)
	}
	for name, try := range map[string]struct {
		ctx  context.Context
		path string
	}{
		"another store's shop": {g.Platform.Store(t), path},
		"the sandbox":          {g.Platform.Sandbox(t, ctx), path},
		"no shop":              {context.Background(), path},
		"not a picture":        {ctx, media.Prefix + ref.ID + "/live/products/secret.csv"},
		"a missing one":        {ctx, media.Prefix + ref.ID + "/live/products/none/1.jpg"},
		"a way out":            {ctx, media.Prefix + ref.ID + "/live/products/../../x/1.jpg"},
	} {
		if w := get(try.ctx, "GET", try.path); w.Code != http.StatusNotFound || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s", name, w.Code, fmt.Sprint(w.Header()))
		}
	}
}
