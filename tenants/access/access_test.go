package access

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/platform/principal"
)

func enforcer(t testing.TB) *Enforcer {
	t.Helper()
	e, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func member(role string, grants ...string) principal.Principal {
	return principal.Principal{Kind: principal.Account, Role: role, Grants: grants, StoreID: "sto_1"}
}

func apiKey(scopes ...string) principal.Principal {
	return principal.Principal{Kind: principal.Key, Grants: scopes, StoreID: "sto_1"}
}

// TestRoles holds what each role has in full, so that a changed line of policy is seen.
func TestRoles(t *testing.T) {
	e := enforcer(t)
	inStore := []string{"products:read", "content:read", "translations:read", "settings:read", "store:read", None}
	storeAll := append(slices.DeleteFunc(Scopes(), func(s string) bool { return s == StoreExport }), None)
	cases := []struct {
		name string
		who  principal.Principal
		has  []string
	}{
		{"owner", member(Owner), append(slices.Clone(storeAll), StoreDelete, StoreExport)},
		{"admin", member(Admin), storeAll},
		{"catalogue", member(Catalogue), append(slices.Clone(inStore), "products:write", "translations:write",
			"inventory:read", "inventory:write", "imports:write", "exports:read", "exports:write", "operations:read", "operations:write", "promotions:read", "promotions:write", "reviews:read", "reviews:write", "events:read")},
		{"orders", member(Orders), append(slices.Clone(inStore), "orders:read", "orders:write",
			"payments:read", "payments:write", "refunds:write", "customers:read", "customers:write", "gift_cards:read", "gift_cards:write", "store_credit:read", "store_credit:write", "inventory:read", "exports:read", "exports:write", "operations:read", "events:read")},
		{"support", member(Support), append(slices.Clone(inStore), "orders:read", "payments:read",
			"customers:read", "customers:write", "gift_cards:read", "store_credit:read", "promotions:read", "reviews:read", "reviews:write", "inventory:read")},
		{"analyst", member(Analyst), append(slices.Clone(inStore), "orders:read", "payments:read", "promotions:read", "inventory:read", "usage:read", "analytics:read")},
		{"custom, empty", member(Custom), []string{None}},
		{"custom", member(Custom, "orders:write", "products:read"), []string{"orders:read", "orders:write", "products:read", None}},
		{"signed in, no store", principal.Principal{Kind: principal.Account}, []string{None}},
		{"unknown role", member("sovereign"), []string{None}},
		{"key, empty", apiKey(), []string{None}},
		{"key", apiKey("webhooks:write"), []string{"webhooks:read", "webhooks:write", None}},
		{"key, all scopes", apiKey(Scopes()...), append(Scopes(), None)},
		{"publishable", principal.Principal{Kind: principal.Publishable}, []string{None}},
		{"operator read", principal.Principal{Kind: principal.Operator, Role: "read"}, []string{"operator:read", None}},
		{"operator support", principal.Principal{Kind: principal.Operator, Role: "support"}, []string{"operator:read", "operator:support", None}},
		{"operator admin", principal.Principal{Kind: principal.Operator, Role: "admin"}, []string{"operator:read", "operator:support", "operator:admin", None}},
		{"operator of no role", principal.Principal{Kind: principal.Operator, Role: "owner"}, []string{None}},
		{"anonymous", principal.Principal{Kind: principal.Anonymous}, []string{None}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, want := e.Effective(c.who), slices.Clone(c.has)
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("has  %v\nwant %v", got, want)
			}
		})
	}
}

// TestNothingSlipsThrough tries to gain what must not be had by wording.
func TestNothingSlipsThrough(t *testing.T) {
	e := enforcer(t)
	cases := []struct {
		who        principal.Principal
		permission string
	}{
		{member(Custom, StoreDelete), StoreDelete},
		{apiKey(StoreDelete), StoreDelete},
		{apiKey("operator:admin"), "operator:admin"},
		{apiKey("operator:admin"), "operator:read"},
		{member(Custom, "operator:admin"), "operator:read"},
		{apiKey("products:read"), "products:write"},
		{apiKey("products"), "products:read"},
		{apiKey("products:*"), "products:read"},
		{apiKey("*"), "products:read"},
		{apiKey(""), "products:read"},
		{apiKey("xproducts:write"), "products:read"},
		{apiKey("product:write"), "products:read"},
		{principal.Principal{Kind: principal.Key, Role: Owner}, "products:read"},
		{principal.Principal{Kind: principal.Publishable, Role: Owner, Grants: []string{"orders:write"}}, "orders:read"},
		{principal.Principal{Kind: principal.Operator, Role: "admin"}, "orders:read"},
		{principal.Principal{Kind: principal.Anonymous, Role: Owner}, "products:read"},
		{principal.Principal{Kind: principal.System, Role: Owner}, "products:read"},
		{principal.Principal{Kind: principal.Account, Role: "operator-admin"}, "operator:read"},
		{principal.Principal{Kind: principal.Account, Role: "grantee", Grants: []string{"orders:write"}}, "orders:write"},
		{member(Owner), "operator:read"},
		{member(Owner), "unknown:read"},
		{member(Owner), ""},
		{apiKey("unknown:write"), "unknown:read"},
		{member(Admin), StoreDelete},
		{member(Admin), StoreExport},
	}
	for _, c := range cases {
		for range 2 { // asked of Casbin, then from memory
			if e.Allows(c.who, c.permission) {
				t.Errorf("%+v may %q", c.who, c.permission)
			}
		}
	}
}

// TestPolicyIsWhole holds policy and list of permissions together: a permission that can
// be listed has exactly one line for it, and none that cannot.
func TestPolicyIsWhole(t *testing.T) {
	var lines []string
	for line := range strings.Lines(policyText) {
		if fields := strings.Split(strings.TrimSpace(line), ", "); fields[0] == "p" && fields[1] == "grantee" {
			lines = append(lines, fields[2])
		}
	}
	if !slices.Equal(lines, Scopes()) {
		t.Errorf("policy lets be listed\n%v\nand permissions.go\n%v", lines, Scopes())
	}
	for _, p := range Permissions() {
		if p.Description == "" || !Known(p.Name) || Grantable(p.Name) != p.Grantable {
			t.Errorf("%+v is not as it should be", p)
		}
	}
	for _, r := range Roles() {
		if !BuiltIn(r.Name) || r.Description == "" {
			t.Errorf("%+v is not as it should be", r)
		}
	}
	if BuiltIn(Custom) || Known("products:delete") || Grantable("products:delete") {
		t.Error("what is not there is said to be")
	}
}

func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct{ model, policy string }{
		"model":              {"nonsense", policyText},
		"quote":              {modelText, `p, owner, "products:read, always`},
		"unknown permission": {modelText, "p, owner, produce:read, always"},
		"when":               {modelText, "p, owner, products:read, sometimes"},
		"too few fields":     {modelText, "p, owner"},
		"unknown kind":       {modelText, "q, owner, products:read, always"},
		"matcher":            {strings.Replace(modelText, "[matchers]", "[matcher]", 1), policyText},
	} {
		if _, err := parse(c.model, c.policy); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestLacks(t *testing.T) {
	e := enforcer(t)
	got := e.Lacks(member(Support), []string{"orders:read", "orders:write", "refunds:write"})
	if !slices.Equal(got, []string{"orders:write", "refunds:write"}) {
		t.Errorf("lacks %v", got)
	}
	if got := e.Lacks(member(Owner), Scopes()); got != nil {
		t.Errorf("the owner lacks %v", got)
	}
}

// TestAThousandCustomRoles holds that neither the policy nor the memory of decisions nor
// the time of a decision grows with custom roles.
func TestAThousandCustomRoles(t *testing.T) {
	e := enforcer(t)
	scopes := Scopes()
	roles := make([]principal.Principal, 1000)
	for i := range roles {
		var grants []string
		for j, s := range scopes {
			if i>>(j%10)&1 == 1 {
				grants = append(grants, s)
			}
		}
		roles[i] = member(Custom, grants...)
		roles[i].StoreID = fmt.Sprintf("sto_%d", i)
	}
	ask := func(roles []principal.Principal) (perDecision time.Duration) {
		const rounds = 5
		best := time.Hour
		for range rounds {
			start, n := time.Now(), 0
			for n < 40_000 {
				for _, r := range roles {
					for _, permission := range scopes[:10] {
						e.Allows(r, permission)
						n++
					}
				}
			}
			best = min(best, time.Since(start)/time.Duration(n))
		}
		return best
	}
	lines := func() int {
		p, _ := e.casbin.GetPolicy()
		g, _ := e.casbin.GetGroupingPolicy()
		return len(p) + len(g)
	}

	linesBefore := lines()
	one := ask(roles[777:778])
	memory := len(*e.known.Load())
	thousand := ask(roles)
	if lines() != linesBefore {
		t.Errorf("policy grew from %d to %d lines", linesBefore, lines())
	}
	if bound := len(e.roles) * len(permissions) * 2; len(*e.known.Load()) > bound || len(*e.known.Load()) > 2*memory {
		t.Errorf("memory of decisions grew from %d to %d, bound %d", memory, len(*e.known.Load()), bound)
	}
	if thousand > 5*one {
		t.Errorf("a decision takes %v with a thousand custom roles, %v with one", thousand, one)
	}
	if allocs := testing.AllocsPerRun(1000, func() { e.Allows(roles[123], "orders:write") }); allocs != 0 {
		t.Errorf("a decision allocates %v times", allocs)
	}
	for i, r := range roles {
		for j, s := range scopes {
			writes := strings.TrimSuffix(s, ":read") + ":write"
			want := i>>(j%10)&1 == 1 || slices.Contains(r.Grants, writes)
			if e.Allows(r, s) != want {
				t.Fatalf("role %d and %s: %v", i, s, !want)
			}
		}
	}
	t.Logf("%v a decision with one custom role, %v with a thousand; %d lines", one, thousand, linesBefore)
}

func TestParallelDecisions(t *testing.T) {
	e := enforcer(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, p := range Permissions() {
				if e.Allows(member(Owner), p.Name) != (p.Grantable || p.Name == StoreDelete || p.Name == None) {
					t.Errorf("the owner and %s", p.Name)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkAllows(b *testing.B) {
	e := enforcer(b)
	who := apiKey("orders:write", "products:read", "customers:write")
	b.Run("remembered", func(b *testing.B) {
		for b.Loop() {
			e.Allows(who, "customers:read")
		}
	})
	b.Run("asked of Casbin", func(b *testing.B) {
		for b.Loop() {
			_, _ = e.casbin.Enforce(key, "customers:read", true)
		}
	})
}
