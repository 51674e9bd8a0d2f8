package handlers

import (
	"context"
	"log/slog"

	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/accounts"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// Signup opens stores.
type Signup struct {
	DB       *postgres.DB
	Accounts *accounts.Service
	Stores   *stores.Service
	ShopURL  ShopURL
	Log      *slog.Logger
}

// Operations are the handlers by operationId.
func (h *Signup) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"signUp":            h.signUp,
		"checkStoreAddress": h.check,
	}
}

func (h *Signup) signUp(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.SignupRequest](req)
	if err != nil {
		return nil, err
	}
	in := accounts.SignUp{
		Email: given(body.Email), Password: given(body.Password), Name: given(body.AccountName),
		Store: stores.Birth{Name: body.StoreName, Address: body.StoreAddress, Country: body.Country, Currency: body.Currency},
	}
	signedIn := req.Caller.Principal.Kind == principal.Account
	if signedIn {
		in.AccountID = req.Caller.Principal.ID
	} else if err := complete(body); err != nil {
		return nil, err
	}
	var out accounts.SignedUp
	res, err := claimed(ctx, req, h.DB, func(ctx context.Context, record accounts.Recorder[accounts.SignedUp]) (err error) {
		out, err = h.Accounts.SignUp(ctx, in, record)
		return err
	}, h.answer)
	if err != nil || signedIn || out.Account.ID == "" {
		return res, err
	}
	signed, err := h.Accounts.Open(ctx, out.Account, visit(req))
	if err != nil {
		// The store is open; its owner can sign in when sessions are to be had again.
		h.Log.WarnContext(ctx, "nobody is signed in after a sign-up", "account", out.Account.ID, "error", err)
		return res, nil
	}
	setCookie(req, &signed)
	return res, nil
}

// complete demands what only a person who is not signed in has to give.
func complete(body gen.SignupRequest) error {
	wrong := problem.New(problem.Invalid, "invalid_request", "Who is not signed in gives an e-mail address and a password.")
	if body.Email == nil {
		wrong.At("/email", "required", "It is required of who is not signed in.")
	}
	if body.Password == nil {
		wrong.At("/password", "required", "It is required of who is not signed in.")
	}
	return wrong.OrNil()
}

// answer is a new store with its keys, which are shown only now.
func (h *Signup) answer(out accounts.SignedUp) *openapi.Response {
	side := out.Store.Side(principal.Live)
	url := h.ShopURL(&side)
	shown := gen.Signup{Account: account(out.Account), Store: shownStore(url, principal.Live, out.Store, out.Settings), ShopURL: url}
	withheld := shown
	shown.Keys = firstKeys(out.Keys)
	res := openapi.Created("/v1/store", shown)
	res.Redacted = withheld
	return res
}

func firstKeys(k tenants.FirstKeys) gen.SignupKeys {
	return gen.SignupKeys{
		Live: gen.KeyPair{Secret: &k.LiveSecret, Publishable: &k.LivePublishable},
		Test: gen.KeyPair{Secret: &k.TestSecret, Publishable: &k.TestPublishable},
	}
}

func (h *Signup) check(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	address := req.Param("address")
	why, err := h.Stores.CheckAddress(ctx, address)
	if err != nil {
		return nil, err
	}
	return openapi.OK(gen.StoreAddressAvailability{Address: address, Available: why == "", Reason: orNil(gen.StoreAddressAvailabilityReason(why))}), nil
}
