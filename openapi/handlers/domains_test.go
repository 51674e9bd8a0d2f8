package handlers_test

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/openapi/handlers"
	"github.com/stoacommerce/stoa/platform/certificates/catest"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/redis"
	"github.com/stoacommerce/stoa/platform/redis/redistest"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/domains"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// domainsAPI is the door to domains, and the domain name system that they are looked up by.
func domainsAPI(t *testing.T) (*apitest.API, *catest.Names) {
	t.Helper()
	handler, names := &handlers.Domains{}, catest.StartNames(t)
	api := apitest.New(t, handler.Operations())
	p, quiet := api.Platform, slog.New(slog.DiscardHandler)
	bus := redis.OpenBus(redistest.Client(t))
	t.Cleanup(bus.Close)
	pepper, err := p.Ring.Pepper(t.Context(), tenants.Peppers{DB: p.DB}, "test")
	if err != nil {
		t.Fatal(err)
	}
	one := 1
	*handler = handlers.Domains{DB: p.DB, Domains: domains.New(domains.Config{
		DB: p.DB, Stores: stores.New(stores.Config{DB: p.DB, Maker: p.Runner, Bus: bus, Log: quiet}), Bus: bus, Sealer: p.Ring, Pepper: pepper, Log: quiet,
		BaseDomain: "stoa.net", Target: "shops.stoa.net", Addresses: []netip.Addr{netip.MustParseAddr("203.0.113.7")},
		Resolver: &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, names.Addr)
		}},
		Limit: func(string) *int { return &one }, Site: &url.URL{Scheme: "https", Host: "stoa.net"},
	})}
	return api, names
}

func TestDomains(t *testing.T) {
	t.Parallel()
	api, names := domainsAPI(t)
	ctx, other := api.Platform.Store(t), api.Platform.Store(t)
	key, name := api.Staff(ctx), "shop."+strings.ReplaceAll(ids.New("x"), "_", "")+".com"
	api.Do(t, key, "POST", "/v1/domains", object{"name": "https://" + name}).WantProblem(422, "domain_invalid")
	api.Do(t, key, "POST", "/v1/domains", object{}).WantProblem(400, "invalid_request")
	made := api.Do(t, key, "POST", "/v1/domains", object{"name": strings.ToUpper(name)}, "Idempotency-Key: "+name).Want(201)
	api.Do(t, key, "POST", "/v1/domains", object{"name": strings.ToUpper(name)}, "Idempotency-Key: "+name).Want(201)
	api.Do(t, key, "POST", "/v1/domains", object{"name": "another." + name}).WantProblem(422, "plan_limit")
	if made.String("name") != name || made.String("records.0.type") != "TXT" || made.String("records.1.value") != "shops.stoa.net" || made.String("records.1.state") != "unchecked" {
		t.Errorf("made %s", made.Body)
	}
	path := "/v1/domains/" + made.String("id")
	names.Set(t, name, "A", "198.51.100.7")
	if told := api.Do(t, key, "POST", path+"/verify", nil).Want(200); told.String("state") != "pending" || told.String("conflicts.0.value") != "198.51.100.7" || told.String("advice.1") == "" || told.Get("checked_at") == nil {
		t.Errorf("looked up as %s", told.Body)
	}
	api.Do(t, key, "PATCH", path, object{"primary": true}).WantProblem(422, "domain_not_active")
	names.Set(t, name, "A", "203.0.113.7")
	names.Set(t, made.String("records.0.name"), "TXT", `"`+made.String("records.0.value")+`"`)
	if tried := api.Do(t, key, "POST", path+"/verify?dry_run=true", nil).Want(200); tried.String("state") != "active" {
		t.Errorf("tried as %s", tried.Body)
	}
	before := api.Do(t, key, "GET", path, nil).Want(200)
	verified := api.Do(t, key, "POST", path+"/verify", nil).Want(200)
	if before.String("state") != "pending" || verified.String("state") != "active" || verified.Get("primary") != true || verified.String("certificate.state") != "unmanaged" {
		t.Errorf("verified as %s", verified.Body)
	}
	tag := api.Do(t, key, "GET", path, nil).Want(200).Header.Get("ETag")
	if same := api.Do(t, key, "GET", path, nil, "If-None-Match: "+tag); same.Status != 304 {
		t.Errorf("what did not change is answered %d", same.Status)
	}
	api.Do(t, key, "PATCH", path, object{"primary": false}, "If-Match: "+before.Header.Get("ETag")).WantProblem(412, "stale")
	if changed := api.Do(t, key, "PATCH", path, object{"primary": false}, "If-Match: "+tag).Want(200); changed.Get("primary") != false {
		t.Errorf("changed to %s", changed.Body)
	}
	if list := api.Do(t, key, "GET", "/v1/domains?limit=1", nil).Want(200); list.String("data.0.id") != made.String("id") || list.Get("has_more") != false {
		t.Errorf("listed %s", list.Body)
	}

	stranger := api.Staff(other)
	for _, each := range [][2]string{{"GET", path}, {"DELETE", path}, {"POST", path + "/verify"}} {
		api.Do(t, stranger, each[0], each[1], nil).WantProblem(404, "not_found")
		api.Do(t, api.Scoped(ctx, "store:write"), each[0], each[1], nil).WantProblem(403, "missing_permission")
		api.Do(t, "", each[0], each[1], nil).WantProblem(401, "missing_credential")
	}
	api.Do(t, stranger, "PATCH", path, object{"primary": true}).WantProblem(404, "not_found")

	// Another store that proves it too is refused, with and without effect, and told so for as long as it is so.
	theirs := api.Do(t, stranger, "POST", "/v1/domains", object{"name": name}).Want(201)
	wanted := "/v1/domains/" + theirs.String("id")
	names.Set(t, name, "A", "203.0.113.7")
	names.Set(t, made.String("records.0.name"), "TXT", `"`+made.String("records.0.value")+`"`, `"`+theirs.String("records.0.value")+`"`)
	api.Do(t, stranger, "POST", wanted+"/verify?dry_run=true", nil).WantProblem(409, "domain_taken")
	if told := api.Do(t, stranger, "GET", wanted, nil).Want(200); told.Get("taken") != false || told.Get("checked_at") != nil {
		t.Errorf("what was only tried is kept: %s", told.Body)
	}
	for range 2 {
		api.Do(t, stranger, "POST", wanted+"/verify", nil, "Idempotency-Key: "+wanted).WantProblem(409, "domain_taken")
	}
	if told := api.Do(t, stranger, "GET", wanted, nil).Want(200); told.Get("taken") != true || told.String("state") != "pending" || !strings.Contains(told.String("advice.0"), "Another store") {
		t.Errorf("refused as %s", told.Body)
	}
	names.Set(t, made.String("records.0.name"), "TXT", `"`+made.String("records.0.value")+`"`)
	if told := api.Do(t, stranger, "POST", wanted+"/verify", nil).Want(200); told.Get("taken") != false {
		t.Errorf("what is not proven is called taken: %s", told.Body)
	}
	api.Do(t, stranger, "DELETE", wanted, nil).Want(204)
	api.Do(t, key, "DELETE", path, nil).Want(204)
	api.Do(t, key, "GET", path, nil).WantProblem(404, "not_found")
}
