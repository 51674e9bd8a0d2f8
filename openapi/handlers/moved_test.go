package handlers_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// Who comes by a handle that a thing once had is shown the way to it, in one step,
// however often it was renamed.
func TestHandlesThatThingsOnceHad(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	ctx, other := api.Platform.Store(t), api.Platform.Store(t)
	key, shopper := api.Staff(ctx), api.Publishable(ctx)
	way := func(path string) string {
		t.Helper()
		got := api.Do(t, shopper, "GET", path, nil)
		return fmt.Sprint(got.Status, " ", got.Header.Get("Location"))
	}
	for kind, body := range map[string]object{
		"products": {"title": "Shirt", "status": "active"}, "categories": {"name": "Shirt"}, "collections": {"name": "Shirt"},
	} {
		id := api.Do(t, key, "POST", "/v1/"+kind, body).Want(201).String("id")
		rename := func(handle string) { api.Do(t, key, "PATCH", "/v1/"+kind+"/"+id, object{"handle": handle}).Want(200) }
		shop := "/v1/shop/" + kind + "/"
		rename("linen-shirt")
		rename("old-shirt")
		for _, former := range []string{"shirt", "linen-shirt"} {
			if got := way(shop + former); got != "308 "+shop+"old-shirt" {
				t.Errorf("%s%s: %s", shop, former, got)
			}
		}
		rename("shirt") // as it was at first
		if got := way(shop + "linen-shirt"); got != "308 "+shop+"shirt" {
			t.Errorf("%s: %s", kind, got)
		}
		if got := way(shop + "shirt"); got != "200 " {
			t.Errorf("%s: %s", kind, got)
		}
		// Who has a handle comes before who had it, as long as it does.
		body["handle"] = "linen-shirt"
		second := api.Do(t, key, "POST", "/v1/"+kind, body).Want(201).String("id")
		if got := api.Do(t, shopper, "GET", shop+"linen-shirt", nil).Want(200); got.String("id") != second {
			t.Errorf("%s: %s", kind, got.Body)
		}
		api.Do(t, key, "DELETE", "/v1/"+kind+"/"+second, nil).Want(204)
		if got := way(shop + "linen-shirt"); got != "308 "+shop+"shirt" {
			t.Errorf("%s: %s", kind, got)
		}
		api.Do(t, api.Publishable(other), "GET", shop+"linen-shirt", nil).WantProblem(404, "not_found")
		if kind == "products" {
			if got := way(shop + "linen-shirt/variants?currency=USD"); got != "308 "+shop+"shirt/variants?currency=USD" {
				t.Errorf("variants: %s", got)
			}
			api.Do(t, key, "PATCH", "/v1/products/"+id, object{"status": "draft"}).Want(200)
		} else {
			api.Do(t, key, "DELETE", "/v1/"+kind+"/"+id, nil).Want(204)
		}
		api.Do(t, shopper, "GET", shop+"linen-shirt", nil).WantProblem(404, "not_found")
	}
}

// The products of a subtree and the categories below one are each read by one statement
// that looks the subtree up in the index of paths.
func TestASubtreeIsOneIndexedQuery(t *testing.T) {
	t.Parallel()
	api := newCatalog(t, 0)
	ctx := api.Platform.Store(t)
	key := api.Staff(ctx)
	top := api.Do(t, key, "POST", "/v1/categories", object{"name": "Clothes"}).Want(201).String("id")
	mid := api.Do(t, key, "POST", "/v1/categories", object{"name": "Shirts", "parent_id": top}).Want(201).String("id")
	low := api.Do(t, key, "POST", "/v1/categories", object{"name": "Linen", "parent_id": mid}).Want(201).String("id")
	for title, category := range map[string]string{"a": top, "b": mid, "c": low} {
		api.Do(t, key, "POST", "/v1/products", object{"title": title, "category_id": category, "tags": []string{"x", title}, "vendor": "V" + title, "product_type": "T"}).Want(201)
	}
	api.Do(t, key, "POST", "/v1/products", object{"title": "d", "tags": []string{"X"}}).Want(201)
	for query, want := range map[string]string{
		"category_id=" + top: "a b c", "category_id=" + mid: "b c", "category_id=" + low: "c", "tag=x": "a b c", "tag=X": "d", "vendor=Vb": "b", "product_type=T&tag=c": "c",
	} {
		counted, count := postgres.Counting(context.Background())
		got := strings.Fields(names(api.DoContext(t, counted, key, "GET", "/v1/products?"+query, nil).Want(200), "title"))
		if len(got) != len(strings.Fields(want)) || count.Statements.Load() != 1 {
			t.Errorf("%s: %v by %d statements, want %s", query, got, count.Statements.Load(), want)
		}
		for _, title := range got {
			if !strings.Contains(want, title) {
				t.Errorf("%s: %v, want %s", query, got, want)
			}
		}
	}
	if got := names(api.Do(t, key, "GET", "/v1/categories?ancestor_id="+top, nil).Want(200), "name"); got != "Shirts Linen" {
		t.Errorf("below the top: %s", got)
	}
	api.Do(t, key, "PATCH", "/v1/categories/"+top, object{"seo_title": "Clothes of linen", "seo_description": "All of it."}).Want(200)
	api.Do(t, key, "PATCH", "/v1/categories/"+top, object{"seo_description": nil}).Want(200)
	if got := api.Do(t, api.Publishable(ctx), "GET", "/v1/shop/categories/clothes", nil).Want(200); got.String("seo_title") != "Clothes of linen" || got.Get("seo_description") != nil {
		t.Errorf("for search engines: %s", got.Body)
	}
	tags := api.Do(t, key, "GET", "/v1/product-tags?limit=3", nil).Want(200)
	if got := names(tags, "tag"); got != "X a b" {
		t.Errorf("tags: %s", got)
	}
	rest := api.Do(t, key, "GET", "/v1/product-tags?limit=3&cursor="+tags.String("next_cursor"), nil).Want(200)
	if got := names(rest, "tag"); got != "c x" || rest.Get("data.1.product_count") != 3.0 {
		t.Errorf("tags: %s", rest.Body)
	}

	// Many categories, so that the planner has a choice.
	var plan string
	err := api.Platform.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		for _, statement := range []string{
			`insert into categories (id, path, name, handle) select 'cat_' || n, 'cat_' || n || '/', 'n', 'n' || n from generate_series(1, 3000) n`,
			`insert into products (id, handle, title, status, category_id) select 'prod_' || n, 'n' || n, 'n', 'active', 'cat_' || (n % 3000 + 1) from generate_series(1, 6000) n`,
			`set local enable_seqscan = on`,
		} {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}
		rows, err := tx.Query(ctx, `explain select p.id from products p where p.status = 'active' and p.category_id in (
			select c.id from categories top join categories c on c.path >= top.path and c.path < top.path || '~' where top.id = $1) order by p.id desc limit 25`, top)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				return err
			}
			plan += line + "\n"
		}
		return rows.Err()
	})
	if err != nil || !strings.Contains(plan, "categories_path") || strings.Contains(plan, "Seq Scan") {
		t.Errorf("%v\n%s", err, plan)
	}
}
