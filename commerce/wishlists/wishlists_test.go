package wishlists_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/commerce/wishlists"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

type fixture struct {
	*shoptest.Shop
	t testing.TB
}

func open(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{shoptest.New(t, testdb.Open(t)), t}
	f.Exec(t, `insert into customers (id, email) values ('cus_ada', 'ada@example.com'), ('cus_bob', 'bob@example.com')`)
	return f
}

func (f *fixture) do(change func(context.Context, *postgres.Tx) error) error {
	return f.DB.InStore(f.Ctx, change)
}

func (f *fixture) create(customer, name string) (id string, err error) {
	return id, f.do(func(ctx context.Context, tx *postgres.Tx) error {
		id, err = wishlists.Create(ctx, tx, customer, name)
		return err
	})
}

func (f *fixture) add(list, product, variant string) error {
	return f.do(func(ctx context.Context, tx *postgres.Tx) error {
		return wishlists.Add(ctx, tx, list, "cus_ada", product, variant)
	})
}

func (f *fixture) update(list string, c wishlists.Change) error {
	return f.do(func(ctx context.Context, tx *postgres.Tx) error {
		return wishlists.Update(ctx, tx, list, "cus_ada", c, 0)
	})
}

type list struct {
	Name  string  `json:"name"`
	Share *string `json:"share_token"`
	Items []struct {
		ID     string  `json:"id"`
		Title  string  `json:"title"`
		Handle *string `json:"handle"`
		Shown  bool    `json:"shown"`
	} `json:"items"`
}

func read(t testing.TB, o postgres.Object, err error) (l list) {
	t.Helper()
	if err == nil {
		err = json.Unmarshal(o.Data, &l)
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// in is what is on a list, with what is gone in brackets.
func (l list) in() string {
	var titles []string
	for _, i := range l.Items {
		if i.Shown && i.Handle != nil {
			titles = append(titles, i.Title)
		} else {
			titles = append(titles, "("+i.Title+")")
		}
	}
	return strings.Join(titles, ", ")
}

func pointer[T any](v T) *T { return &v }

func TestAWishlist(t *testing.T) {
	f := open(t)
	variant := f.Add(t, shoptest.Variant{Title: "Shirt", EUR: 1000, Stock: 1})
	shirt := shoptest.Value[string](t, f.Shop, `select product_id from variants where id = $1`, variant)
	other := f.Add(t, shoptest.Variant{Title: "Bowl", EUR: 1000, Stock: 1})
	bowl := shoptest.Value[string](t, f.Shop, `select handle from products p join variants v on v.product_id = p.id where v.id = $1`, other)
	id, err := f.create("cus_ada", " Birthday ")
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range [][2]string{{shirt, variant}, {bowl, ""}, {shirt, variant}, {shirt, ""}} {
		if err := f.add(id, item[0], item[1]); err != nil {
			t.Fatal(err)
		}
	}
	get := func() list {
		t.Helper()
		o, err := wishlists.Get(f.Ctx, f.DB, id, "cus_ada")
		return read(t, o, err)
	}
	if l := get(); l.Name != "Birthday" || l.in() != "Shirt, Bowl, Shirt" || l.Share != nil {
		t.Errorf("%+v", l)
	}
	for name, err := range map[string]error{"no product": f.add(id, "none", ""), "another's variant": f.add(id, shirt, other)} {
		if !problem.Is(err, "unknown_reference") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What is gone keeps its name.
	f.Exec(t, `delete from variants where id = $1`, variant)
	f.Exec(t, `update products set status = 'archived' where handle = $1`, bowl)
	if l := get(); l.in() != "(Shirt), (Bowl), Shirt" {
		t.Errorf("once some of it is gone: %s", l.in())
	}
	remove := func(customer string) error {
		return f.do(func(ctx context.Context, tx *postgres.Tx) error {
			return wishlists.Remove(ctx, tx, id, customer, get().Items[1].ID)
		})
	}
	if err := remove("cus_bob"); !problem.Is(err, "not_found") {
		t.Errorf("somebody else's: %v", err)
	}
	if err := remove("cus_ada"); err != nil || get().in() != "(Shirt), Shirt" {
		t.Errorf("%s, %v", get().in(), err)
	}
	err = f.do(func(ctx context.Context, tx *postgres.Tx) error {
		return wishlists.Remove(ctx, tx, id, "cus_ada", "wit_none")
	})
	if !problem.Is(err, "not_found") {
		t.Errorf("what is not on it: %v", err)
	}
	page, err := wishlists.Mine(f.Ctx, f.DB, "cus_ada", "", 10)
	if err != nil || !strings.Contains(string(page.Data), id) {
		t.Errorf("mine: %s, %v", page.Data, err)
	}
	err = f.do(func(ctx context.Context, tx *postgres.Tx) error {
		if err := wishlists.Delete(ctx, tx, id, "cus_bob", 0); !problem.Is(err, "not_found") {
			t.Errorf("somebody else deletes it: %v", err)
		}
		return wishlists.Delete(ctx, tx, id, "cus_ada", 0)
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wishlists.Get(f.Ctx, f.DB, id, "cus_ada"); !problem.Is(err, "not_found") {
		t.Errorf("once it is deleted: %v", err)
	}
}

func TestAWishlistIsSharedByALink(t *testing.T) {
	f := open(t)
	id, err := f.create("cus_ada", "Birthday")
	if err != nil {
		t.Fatal(err)
	}
	share := func(yes bool) *string {
		t.Helper()
		if err := f.update(id, wishlists.Change{Shared: &yes}); err != nil {
			t.Fatal(err)
		}
		o, err := wishlists.Get(f.Ctx, f.DB, id, "cus_ada")
		return read(t, o, err).Share
	}
	first := share(true)
	if again := share(true); first == nil || again == nil || *again != *first || len(*first) < 20 {
		t.Fatalf("shared by %v, and then %v", first, again)
	}
	o, err := wishlists.Shared(f.Ctx, f.DB, *first)
	if l := read(t, o, err); l.Name != "Birthday" || strings.Contains(string(o.Data), "cus_") || strings.Contains(string(o.Data), id) {
		t.Errorf("shown %s", o.Data)
	}
	if share(false) != nil {
		t.Error("it has a link still")
	}
	second := share(true)
	for _, token := range []string{*first, "", "wl_guessed"} {
		if _, err := wishlists.Shared(f.Ctx, f.DB, token); !problem.Is(err, "not_found") {
			t.Errorf("%q: %v", token, err)
		}
	}
	if _, err := wishlists.Shared(f.Ctx, f.DB, *second); err != nil {
		t.Error(err)
	}
}

func TestWishlistsAreBounded(t *testing.T) {
	f := open(t)
	for _, name := range []string{" ", strings.Repeat("x", 121), "a\nb"} {
		if _, err := f.create("cus_ada", name); !problem.Is(err, "wishlist_invalid") {
			t.Errorf("%q: %v", name, err)
		}
	}
	ended := make(chan error)
	for i := range 22 {
		go func() {
			_, err := f.create("cus_ada", fmt.Sprint("List ", i))
			ended <- err
		}()
	}
	refused := 0
	for range 22 {
		if err := <-ended; problem.Is(err, "too_many_wishlists") {
			refused++
		} else if err != nil {
			t.Error(err)
		}
	}
	id := shoptest.Value[string](t, f.Shop, `select min(id) from wishlists`)
	if refused != 2 {
		t.Errorf("%d were refused", refused)
	}
	variant := f.Add(t, shoptest.Variant{EUR: 1000, Stock: 1})
	product := shoptest.Value[string](t, f.Shop, `select product_id from variants where id = $1`, variant)
	f.Exec(t, `update wishlists set items = (select jsonb_agg(jsonb_build_object('id', 'wit_' || n, 'product_id', 'prod_' || n, 'title', n::text, 'added_at', now())) from generate_series(1, 200) n) where id = $1`, id)
	if err := f.add(id, product, ""); !problem.Is(err, "wishlist_full") {
		t.Errorf("one more thing: %v", err)
	}
	if err := f.update(id, wishlists.Change{Name: pointer("")}); !problem.Is(err, "wishlist_invalid") {
		t.Errorf("without a name: %v", err)
	}
}
