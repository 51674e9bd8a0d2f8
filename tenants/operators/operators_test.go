package operators_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/operators"
)

func open(t *testing.T) *operators.Service {
	t.Helper()
	p := testdb.Open(t)
	pepper, err := p.Ring.Pepper(t.Context(), tenants.Peppers{DB: p.DB}, "operators")
	if err != nil {
		t.Fatal(err)
	}
	return &operators.Service{DB: p.DB, Pepper: pepper}
}

func unknown(t *testing.T, s *operators.Service, key string) {
	t.Helper()
	if caller, err := s.Authenticate(t.Context(), key); !problem.Is(err, "invalid_key") || problem.As(err).Kind != problem.Unauthenticated {
		t.Errorf("%q speaks for %+v, %v", key, caller.Principal, err)
	}
}

func TestKeys(t *testing.T) {
	s := open(t)
	ctx := principal.With(t.Context(), principal.Principal{Kind: principal.System, Label: "terminal"})
	key, id, err := s.CreateKey(ctx, "Ada Example", "support", time.Hour)
	if err != nil || !strings.HasPrefix(key, "stoa_op_") || len(key) != len("stoa_op_")+36 {
		t.Fatal(key, id, err)
	}
	other, _, err := s.CreateKey(ctx, "Grace Example", "read", 0)
	if err != nil || other == key {
		t.Fatal(other, err)
	}
	for given, want := range map[string][2]string{key: {"Ada Example", "support"}, other: {"Grace Example", "read"}} {
		caller, err := s.Authenticate(ctx, given)
		if who := caller.Principal; err != nil || who.Kind != principal.Operator || who.Label != want[0] || who.Role != want[1] || who.ID == "" || caller.Store != nil {
			t.Errorf("%+v, %v", caller, err)
		}
	}
	// A key lies nowhere in clear, and its making is written down.
	err = s.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		var kept, audit string
		var used bool
		if err := tx.QueryRow(ctx, `select k::text, k.last_used_at is not null, (select string_agg(e::text, ' ') from audit_entries e where e.object_id = k.id)
			from operator_keys k where k.id = $1`, id).Scan(&kept, &used, &audit); err != nil {
			return err
		}
		if strings.Contains(kept+audit, key) || !strings.Contains(audit, "operator_key.create") || !strings.Contains(audit, "Ada Example") || !used {
			t.Errorf("kept: %s\naudit: %s\nused: %t", kept, audit, used)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}

	if err := s.Revoke(ctx, id); err != nil {
		t.Fatal(err)
	}
	list, err := s.Keys(ctx)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(k operators.Key) bool { return k.ID == id })
	if i < 0 || list[i].Name != "Ada Example" || list[i].Role != "support" || list[i].Last4 != key[len(key)-4:] || list[i].RevokedAt == nil || list[i].ExpiresAt == nil || list[i].LastUse == nil {
		t.Errorf("listed: %+v", list)
	}
	unknown(t, s, key)
	if err := s.Revoke(ctx, id); !problem.Is(err, "not_found") {
		t.Errorf("revoked twice: %v", err)
	}
	for _, wrong := range []string{"", "stoa_op_", other[:len(other)-1], other + "x", "stoa_sk_" + other[8:], other[:len(other)-1] + "!"} {
		unknown(t, s, wrong)
	}
}

func TestAKeyExpires(t *testing.T) {
	s := open(t)
	key, _, err := s.CreateKey(t.Context(), "Ada Example", "admin", time.Nanosecond)
	if err != nil {
		t.Fatal(err)
	}
	unknown(t, s, key)
}

func TestAKeyOfNobodyIsRefused(t *testing.T) {
	s := open(t)
	_, _, err := s.CreateKey(t.Context(), " ", "owner", 0)
	if p := problem.As(err); p == nil || p.Code != "invalid_operator_key" || len(p.Faults) != 2 {
		t.Fatalf("%v", err)
	}
}

func TestADatabaseThatIsDownRefusesNobody(t *testing.T) {
	s := open(t)
	key, id, err := s.CreateKey(t.Context(), "Ada Example", "read", 0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Authenticate(ctx, key); err == nil || problem.Is(err, "invalid_key") {
		t.Errorf("%v", err)
	}
	if err := s.Revoke(ctx, id); err == nil || problem.Is(err, "not_found") {
		t.Errorf("%v", err)
	}
	if _, _, err := s.CreateKey(ctx, "Ada Example", "read", 0); err == nil {
		t.Error("a key was made without a database")
	}
}
