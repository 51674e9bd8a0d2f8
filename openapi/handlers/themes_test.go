package handlers_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/content"
	"github.com/stoacommerce/stoa/commerce/themes"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/openapi/handlers"
	"github.com/stoacommerce/stoa/platform/files"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/images"
	"github.com/stoacommerce/stoa/tenants/audit"
)

func newThemes(t *testing.T) *gallery {
	t.Helper()
	disk, err := files.OpenDisk(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = disk.Close() })
	db := testdb.Open(t).DB
	pictures := &catalog.Pictures{Files: disk, Processor: images.New(images.Options{MaxBytes: 200 << 10})}
	api := apitest.New(t,
		(&handlers.Themes{DB: db, Preview: func(_ context.Context, until time.Time) (string, error) {
			return "https://linen.example.com/preview/" + until.Format("15") + "/", nil
		}}).Operations(),
		(&handlers.ContentImages{DB: db, Pictures: pictures, ShopURL: shopURL}).Operations(),
		(&handlers.Audit{DB: db, Log: &audit.Log{DB: db}, Restores: handlers.Restores{"theme.publish": themes.Unpublish, "content_image.delete": content.RestoreImage}}).Operations(),
	)
	return &gallery{api, disk, pictures}
}

func TestThemes(t *testing.T) {
	t.Parallel()
	api := newThemes(t)
	ctx, other := api.Platform.Store(t), api.Platform.Store(t)
	key, reader := api.Staff(ctx), api.Scoped(ctx, "content:read")
	list := api.Do(t, reader, "GET", "/v1/themes?limit=2", nil).Want(200)
	if got := names(list, "name") + " " + names(api.Do(t, reader, "GET", "/v1/themes?cursor="+list.String("next_cursor"), nil).Want(200), "name"); got != "boutique catalogue brand" {
		t.Errorf("themes: %s", got)
	}
	first := api.Do(t, reader, "GET", "/v1/theme", nil).Want(200)
	api.Do(t, reader, "GET", "/v1/theme", nil, "If-None-Match: "+first.Header.Get("ETag")).Want(304)
	api.Do(t, reader, "PATCH", "/v1/theme", object{"theme": "brand"}).WantProblem(403, "missing_permission")
	api.Do(t, "", "GET", "/v1/theme", nil).Want(401)
	for _, wrong := range []object{
		{}, {"theme": nil}, {"theme": "baroque"}, {"colors": object{"ink": "#000000"}}, {"home": []any{object{"id": "a", "type": "poem"}}}, {"home": []any{object{"id": "a", "type": "hero", "limit": 3}}},
		{"home": []any{object{"id": "a", "type": "newsletter", "heading": strings.Repeat("x", 201)}}},
	} {
		api.Do(t, key, "PATCH", "/v1/theme", wrong).WantProblem(400, "invalid_request")
	}
	grey := api.Do(t, key, "PATCH", "/v1/theme", object{"colors": object{"text": "#aaaaaa"}})
	grey.WantProblem(422, "invalid_theme")
	if got := grey.String("errors.0.detail"); !strings.Contains(got, "#aaaaaa") || !strings.Contains(got, "needs 4.5:1") {
		t.Errorf("the reason is %q", got)
	}
	changed := api.Do(t, key, "PATCH", "/v1/theme", object{"theme": "catalogue", "home": []any{object{"id": "hero", "type": "hero"}}}, "If-Match: "+first.Header.Get("ETag")).Want(200)
	api.Do(t, key, "PATCH", "/v1/theme", object{"theme": "brand"}, "If-Match: "+first.Header.Get("ETag")).WantProblem(412, "stale")
	if changed.Get("unpublished_changes") != true || changed.Get("home.0.layout") != "split" || changed.Get("home.0.limit") != nil {
		t.Errorf("the draft: %s", changed.Body)
	}
	if got := api.Do(t, key, "POST", "/v1/theme/preview", nil, apitest.ChangesNothing).Want(201); !strings.HasPrefix(got.String("url"), "https://linen.example.com/preview/") {
		t.Errorf("a preview: %s", got.Body)
	}
	api.Do(t, key, "POST", "/v1/theme/publish?dry_run=true", nil).Want(200)
	api.Do(t, key, "POST", "/v1/theme/publish", nil).Want(200)
	api.Do(t, key, "POST", "/v1/theme/publish", nil).WantProblem(409, "nothing_to_publish")
	api.Do(t, key, "PATCH", "/v1/theme", object{"corners": "round"}).Want(200)
	if got := api.Do(t, key, "POST", "/v1/theme/discard", nil).Want(200); got.Get("corners") != nil || got.Get("theme") != "catalogue" {
		t.Errorf("discarded: %s", got.Body)
	}
	published := api.Do(t, key, "GET", "/v1/audit?action=theme.publish", nil).Want(200).String("data.0.id")
	api.Do(t, key, "POST", "/v1/audit/"+published+"/undo", nil).Want(200)
	if got := api.Do(t, key, "GET", "/v1/theme", nil).Want(200); got.Get("unpublished_changes") != true || got.Get("published_at") != nil {
		t.Errorf("taken back: %s", got.Body)
	}
	if got := api.Do(t, api.Staff(other), "GET", "/v1/theme", nil).Want(200); got.Get("theme") != "boutique" {
		t.Errorf("another store: %s", got.Body)
	}
}

func TestMenus(t *testing.T) {
	t.Parallel()
	api := newThemes(t)
	ctx := api.Platform.Store(t)
	key := api.Staff(ctx)
	if got := names(api.Do(t, key, "GET", "/v1/menus", nil).Want(200), "menu"); got != "footer header" {
		t.Errorf("menus: %s", got)
	}
	first := api.Do(t, key, "GET", "/v1/menus/header", nil).Want(200)
	api.Do(t, key, "GET", "/v1/menus/kitchen", nil).Want(400)
	items := []any{object{"id": "all", "label": nil, "link": object{"type": "products"}, "items": []any{object{"id": "home", "link": object{"type": "home"}}}}}
	changed := api.Do(t, key, "PATCH", "/v1/menus/header", object{"items": items}, "If-Match: "+first.Header.Get("ETag")).Want(200)
	if changed.Get("items.0.items.0.id") != "home" || changed.Get("updated_at") == nil {
		t.Errorf("changed: %s", changed.Body)
	}
	api.Do(t, key, "PATCH", "/v1/menus/header", object{"items": nil}, "If-Match: "+first.Header.Get("ETag")).WantProblem(412, "stale")
	gone := object{"id": "gone", "link": object{"type": "product", "resource_id": ids.New("prod")}}
	api.Do(t, key, "PATCH", "/v1/menus/header", object{"items": []any{gone}}).WantProblem(422, "invalid_menu")
	entry := api.Do(t, key, "GET", "/v1/audit?action=menu.update", nil).Want(200).String("data.0.id")
	api.Do(t, key, "POST", "/v1/audit/"+entry+"/undo", nil).Want(200)
	if got := api.Do(t, key, "GET", "/v1/menus/header", nil).Want(200); got.Get("items") != nil {
		t.Errorf("taken back: %s", got.Body)
	}
}

func TestContentImages(t *testing.T) {
	t.Parallel()
	api := newThemes(t)
	ctx, other := api.Platform.Store(t), api.Platform.Store(t)
	key := api.Staff(ctx)
	body, kind := form(t, "alt", "A lighthouse", "file", picture(t, 600, 400))
	api.Do(t, key, "POST", "/v1/content-images?dry_run=true", body, kind).Want(201)
	if got := api.keys(t, ctx); len(got) != 0 {
		t.Errorf("a dry run stored %q", got)
	}
	made := api.Do(t, key, "POST", "/v1/content-images", body, kind).Want(201)
	path := "/v1/content-images/" + made.String("id")
	if made.Get("width") != 600.0 || made.Get("alt") != "A lighthouse" || len(api.keys(t, ctx)) == 0 {
		t.Errorf("made: %s", made.Body)
	}
	api.Do(t, key, "POST", "/v1/content-images", []byte("x"), kind).WantProblem(400, "invalid_request")
	api.Do(t, key, "PATCH", path, object{"alt": "The lighthouse"}).Want(200)
	api.Do(t, key, "PATCH", "/v1/theme", object{"logo_image_id": made.String("id")}).Want(200)
	api.Do(t, key, "DELETE", path, nil).WantProblem(409, "image_in_use")
	api.Do(t, key, "PATCH", "/v1/theme", object{"logo_image_id": nil}).Want(200)
	api.Do(t, api.Staff(other), "GET", path, nil).WantProblem(404, "not_found")
	api.Do(t, api.Staff(other), "DELETE", path, nil).WantProblem(404, "not_found")
	api.Do(t, key, "DELETE", path, nil).Want(204)
	api.Do(t, key, "GET", path, nil).WantProblem(404, "not_found")
	entry := api.Do(t, key, "GET", "/v1/audit?action=content_image.delete", nil).Want(200).String("data.0.id")
	api.Do(t, key, "POST", "/v1/audit/"+entry+"/undo", nil).Want(200)
	if got := api.Do(t, key, "GET", "/v1/content-images", nil).Want(200); got.Get("data.0.alt") != "The lighthouse" {
		t.Errorf("brought back: %s", got.Body)
	}
}
