package web_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/tenants/domains"
)

// claim has a shop be at a domain of its own.
func (s *shop) claim(t testing.TB, name string) (claimed domains.Domain) {
	t.Helper()
	err := s.h.db.InControl(s.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		d, err := s.h.domains.Create(ctx, tx, name)
		if err == nil {
			claimed, err = s.h.domains.Verify(ctx, tx, d.ID, s.h.domains.Look(ctx, d.Name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return claimed
}

// at looks at a host of a merchant's own.
func (h *house) at(t testing.TB, host string) *browser {
	b := h.visitor(t, "")
	b.host = host
	return b
}

func TestAShopIsAtItsPrimaryDomain(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.product(t, "Linen shirt", nil)
	old := h.visitor(t, s.label)
	old.get("/").status(http.StatusOK).says(`<link rel="canonical" href="https://` + s.label + "." + domain + `/">`)
	name, other := "www."+s.label+".localhost", "shop."+s.label+".localhost"
	own := h.at(t, name)
	own.get("/").status(http.StatusNotFound).says("There is no shop at this address")

	first, second := s.claim(t, name), s.claim(t, other)
	if !first.Main || second.Main || first.State != domains.Active {
		t.Fatalf("claimed %+v and %+v", first, second)
	}
	own.get("/").status(http.StatusOK).says(`<link rel="canonical" href="https://` + name + `/">`)
	own.get("/sitemap.xml").status(http.StatusOK).says("<loc>https://" + name + "/products/linen-shirt</loc>")
	own.get("/robots.txt").says("Sitemap: https://" + name + "/sitemap.xml")
	if link, err := h.links.SignIn(s.Ctx); err != nil || link != "https://"+name+"/account/sign-in" {
		t.Errorf("mails lead to %s, %v", link, err)
	}
	for _, b := range []*browser{old, h.at(t, other)} {
		moved := b.get("/products/linen-shirt?variant=x").status(http.StatusMovedPermanently)
		if to := moved.leadsTo(); to != "https://"+name+"/products/linen-shirt?variant=x" || !strings.HasPrefix(moved.Header().Get("Cache-Control"), "private") {
			t.Errorf("%s leads to %s, %v", b.host, to, moved.Header())
		}
		b.post("/cart/lines", nil).status(http.StatusUnprocessableEntity) // what was begun there is done there
	}

	// Without a primary domain the shop is at its address below the platform's again.
	change := func(do func(context.Context, *postgres.Tx) error) {
		t.Helper()
		if err := h.db.InControl(s.Ctx, do); err != nil {
			t.Fatal(err)
		}
	}
	change(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := h.domains.SetPrimary(ctx, tx, first.ID, 0, false)
		return err
	})
	old.get("/").status(http.StatusOK).says(`<link rel="canonical" href="https://` + s.label + "." + domain + `/">`)
	own.get("/").status(http.StatusMovedPermanently)
	change(func(ctx context.Context, tx *postgres.Tx) error { return h.domains.Delete(ctx, tx, first.ID, 0) })
	own.get("/").status(http.StatusNotFound)
}

func TestHostsThatAreNobodys(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, host := range []string{"nobody.example.com", "a.b." + domain, "nobody-here." + domain, "192.0.2.1", strings.Repeat("a.", 150) + "com"} {
		h.at(t, host).get("/").status(http.StatusNotFound).says("There is no shop at this address")
	}
	h.at(t, "nobody.example.com").get("/.well-known/acme-challenge/abc").status(http.StatusNotFound)
	h.at(t, "10.0.0.7").get("/v1/plans").status(http.StatusTeapot) // programs know us by other names
}

func TestADomainWithoutItsCertificateSaysSo(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	name := "www." + s.label + ".localhost"
	s.claim(t, name)
	b := h.at(t, name)
	b.plain = true
	if a := b.get("/").status(http.StatusServiceUnavailable).says("about to open here"); a.Header().Get("Retry-After") != "60" {
		t.Errorf("told to come back after %q", a.Header().Get("Retry-After"))
	}
}
