package handlers_test

import (
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/content"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/openapi/handlers"
	"github.com/stoacommerce/stoa/tenants/audit"
)

func TestPagesAndPosts(t *testing.T) {
	t.Parallel()
	db := testdb.Open(t).DB
	api := apitest.New(t,
		(&handlers.Content{DB: db}).Operations(),
		(&handlers.Themes{DB: db}).Operations(),
		(&handlers.ShopCatalog{DB: db, ShopURL: shopURL, AcceptsOrders: open, Editions: catalog.NewEditions(db)}).Operations(),
		(&handlers.Audit{DB: db, Log: &audit.Log{DB: db}, Restores: handlers.Restores{"page.delete": content.Page.Restore, "post.delete": content.Post.Restore}}).Operations(),
	)
	ctx, other := api.Platform.Store(t), api.Platform.Store(t)
	key, shopper := api.Staff(ctx), api.Publishable(ctx)
	for _, many := range []string{"pages", "posts"} {
		path := "/v1/" + many
		api.Do(t, key, "POST", path, object{"title": ""}).WantProblem(400, "invalid_request")
		api.Do(t, key, "POST", path, object{"title": "x", "handle": "A B"}).WantProblem(400, "invalid_request")
		api.Do(t, api.Scoped(ctx, "content:read"), "POST", path, object{"title": "x"}).WantProblem(403, "missing_permission")
		api.Do(t, key, "POST", path+"?dry_run=true", object{"title": "About us"}).Want(201)
		made := api.Do(t, key, "POST", path, object{"title": "About us", "body_html": "<p>Hi</p><script>x</script>"}).Want(201)
		one := path + "/" + made.String("id")
		if made.String("state") != "draft" || made.String("handle") != "about-us" || made.String("body_html") != "<p>Hi</p>" || made.Header.Get("Location") != one {
			t.Errorf("made: %s", made.Body)
		}
		api.Do(t, shopper, "GET", "/v1/shop/"+many+"/about-us", nil).WantProblem(404, "not_found")
		api.Do(t, key, "PATCH", one, object{"published_at": "2020-01-01T00:00:00Z", "handle": "us"}, "If-Match: "+made.Header.Get("ETag")).Want(200)
		api.Do(t, key, "PATCH", one, object{"title": "x"}, "If-Match: "+made.Header.Get("ETag")).WantProblem(412, "stale")
		shown := api.Do(t, shopper, "GET", "/v1/shop/"+many+"/us", nil).Want(200)
		if shown.String("title") != "About us" || shown.String("body_html") != "<p>Hi</p>" || shown.Header.Get("Content-Language") != "en" {
			t.Errorf("as shoppers read it: %s", shown.Body)
		}
		api.Do(t, shopper, "GET", "/v1/shop/"+many+"/us", nil, "If-None-Match: "+shown.Header.Get("ETag")).Want(304)
		if moved := api.Do(t, shopper, "GET", "/v1/shop/"+many+"/about-us", nil); moved.Status != 308 || moved.Header.Get("Location") != "/v1/shop/"+many+"/us" {
			t.Errorf("moved: %d %s", moved.Status, moved.Header.Get("Location"))
		}
		if list := api.Do(t, shopper, "GET", "/v1/shop/"+many, nil).Want(200); names(list, "handle") != "us" || list.Get("data.0.body_html") != nil {
			t.Errorf("the list: %s", list.Body)
		}
		if list := api.Do(t, key, "GET", path, nil).Want(200); names(list, "state") != "published" {
			t.Errorf("the list: %s", list.Body)
		}
		api.Do(t, api.Staff(other), "GET", one, nil).WantProblem(404, "not_found")
		api.Do(t, api.Staff(other), "DELETE", one, nil).WantProblem(404, "not_found")
		api.Do(t, key, "DELETE", one, nil).Want(204)
		entry := api.Do(t, key, "GET", "/v1/audit?action="+strings.TrimSuffix(many, "s")+".delete", nil).Want(200).String("data.0.id")
		api.Do(t, key, "POST", "/v1/audit/"+entry+"/undo", nil).Want(200)
		api.Do(t, key, "GET", one, nil).Want(200)
	}
	page := api.Do(t, key, "POST", "/v1/pages", object{"title": "Terms", "purpose": "terms", "published_at": "2020-01-01T00:00:00Z"}).Want(201)
	api.Do(t, key, "POST", "/v1/pages", object{"title": "More terms", "purpose": "terms"}).WantProblem(409, "purpose_taken")
	api.Do(t, key, "PATCH", "/v1/menus/footer", object{"items": []any{
		object{"id": "terms", "link": object{"type": "page", "resource_id": page.String("id")}, "items": []any{object{"id": "blog", "link": object{"type": "blog"}}}},
		object{"id": "out", "label": "Elsewhere", "link": object{"type": "url", "url": "https://example.com/"}},
	}}).Want(200)
	menu := api.Do(t, shopper, "GET", "/v1/shop/menus/footer", nil).Want(200)
	if menu.String("items.0.label") != "Terms" || !strings.HasSuffix(menu.String("items.0.url"), ".stoa.example/pages/terms") || menu.Get("items.0.items.0.label") != nil ||
		!strings.HasSuffix(menu.String("items.0.items.0.url"), "/blog") || menu.String("items.1.url") != "https://example.com/" {
		t.Errorf("the menu: %s", menu.Body)
	}
	api.Do(t, key, "PATCH", "/v1/pages/"+page.String("id"), object{"published_at": nil}).Want(200)
	if menu := api.Do(t, shopper, "GET", "/v1/shop/menus/footer", nil).Want(200); menu.Get("items.1") != nil {
		t.Errorf("the menu: %s", menu.Body)
	}
	if menu := api.Do(t, key, "GET", "/v1/menus/footer", nil).Want(200); menu.String("dead_links.0.state") != "hidden" {
		t.Errorf("the menu: %s", menu.Body)
	}
}
