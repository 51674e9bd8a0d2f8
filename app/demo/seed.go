package demo

import (
	"context"
	"encoding/base32"
	"fmt"
	"strings"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/secrets"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/accounts"
	"github.com/stoacommerce/stoa/tenants/keys"
	"github.com/stoacommerce/stoa/tenants/operators"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// Email is whom the demo stores belong to.
const Email = "demo@example.com"

// shops are the demo stores.
var shops = []*shop{&clayAndLinen, &nightFerry}

// Store is what is told of a demo store. The live keys are those of the shop with its
// catalogue; the test keys act on a sandbox that is empty at first.
type Store struct {
	Name            string `json:"name"`
	ID              string `json:"id"`
	ShopURL         string `json:"shop_url"`
	LiveSecret      string `json:"live_secret_key"`
	LivePublishable string `json:"live_publishable_key"`
	TestSecret      string `json:"test_secret_key"`
	TestPublishable string `json:"test_publishable_key"`
}

// Told is what is told of the demo: how to sign in, and all keys.
type Told struct {
	Email       string  `json:"email"`
	Password    string  `json:"password"`
	OperatorKey string  `json:"operator_key"`
	Stores      []Store `json:"stores"`
	Undrawn     int     `json:"-"` // how many pictures are still to be drawn
}

// Seeder makes the demo stores.
type Seeder struct {
	DB        *postgres.DB
	Accounts  *accounts.Service
	Stores    *stores.Service
	Keys      *keys.Service
	Operators *operators.Service
	Catalog   *catalog.Service
	Pepper    secrets.Pepper // what the password is derived from
	ShopURL   func(*tenants.Store) string
}

// Seed makes what is missing of the demo stores. kept is what was told last, if anything:
// keys are shown once, so what is not known of them any more is made anew.
func (s *Seeder) Seed(ctx context.Context, kept Told) (Told, error) {
	told := Told{Email: Email, Password: s.password(), OperatorKey: kept.OperatorKey}
	for _, want := range shops {
		store, first, err := s.open(ctx, want)
		switch {
		case problem.Is(err, "address_taken"), problem.Is(err, "address_confusable"):
			continue // deleted a while ago, and its address still held for it; or another's is too much like it
		case err != nil:
			return Told{}, fmt.Errorf("store %s: %w", want.birth.Address, err)
		case !store.Demo || store.Status != tenants.Active:
			continue // somebody's own, or suspended
		}
		if first == nil {
			if first, err = s.keys(ctx, store, kept.Stores); err != nil {
				return Told{}, err
			}
		}
		undrawn, err := s.fill(ctx, want, store)
		if err != nil {
			return Told{}, fmt.Errorf("fill store %s: %w", want.birth.Address, err)
		}
		told.Undrawn += undrawn
		told.Stores = append(told.Stores, Store{
			Name: store.Name, ID: store.ID, ShopURL: s.ShopURL(store),
			LiveSecret: first.LiveSecret, LivePublishable: first.LivePublishable, TestSecret: first.TestSecret, TestPublishable: first.TestPublishable,
		})
	}
	if _, err := s.Operators.Authenticate(ctx, told.OperatorKey); err != nil {
		if !problem.Is(err, "invalid_key") {
			return Told{}, err
		}
		if told.OperatorKey, _, err = s.Operators.CreateKey(ctx, "stoa dev", "admin", 0); err != nil {
			return Told{}, err
		}
	}
	return told, nil
}

// password is the same for as long as the databases are: it needs no keeping, and cannot
// be guessed from outside.
func (s *Seeder) password() string {
	text := base32.StdEncoding.EncodeToString(s.Pepper.HMAC("password"))[:20]
	return strings.ToLower(text[:5] + "-" + text[5:10] + "-" + text[10:15] + "-" + text[15:])
}

// open finds a demo store, or opens it. Only one that is new has keys to show.
func (s *Seeder) open(ctx context.Context, want *shop) (*tenants.Store, *tenants.FirstKeys, error) {
	store, err := s.Stores.ByAddress(ctx, want.birth.Address)
	if !problem.Is(err, "not_found") {
		return &store, nil, err
	}
	in := accounts.SignUp{Email: Email, Password: s.password(), Name: "Demo Merchant", Store: want.birth, Verified: true}
	switch account, err := s.Accounts.ByEmail(ctx, Email); {
	case err == nil:
		in = accounts.SignUp{AccountID: account.ID, Store: want.birth}
	case !problem.Is(err, "not_found"):
		return nil, nil, err
	}
	out, err := s.Accounts.SignUp(ctx, in, nil)
	if err != nil {
		return nil, nil, err
	}
	side := out.Store.Side(principal.Live)
	return &side, &out.Keys, nil
}

// keys are those of a store that is there: the ones that were kept, or others.
func (s *Seeder) keys(ctx context.Context, store *tenants.Store, kept []Store) (*tenants.FirstKeys, error) {
	for _, k := range kept {
		if _, err := s.Keys.Authenticate(ctx, k.LiveSecret, tenants.Origin{}); k.ID == store.ID && err == nil {
			return &tenants.FirstKeys{
				LiveSecret: k.LiveSecret, LivePublishable: k.LivePublishable, TestSecret: k.TestSecret, TestPublishable: k.TestPublishable,
			}, nil
		}
	}
	account, err := s.Accounts.ByEmail(ctx, Email)
	if err != nil {
		return nil, err
	}
	var first tenants.FirstKeys
	err = s.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		first, err = s.Keys.IssueFirst(ctx, tx, store.ID, account.ID)
		return err
	})
	return &first, err
}
