package stripe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/stripe/stripe-go/v81"
	"github.com/stripe/stripe-go/v81/paymentintent"
	"github.com/stripe/stripe-go/v81/webhook"

	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
)

// JobNews is the kind of the job that looks at what Stripe has news of; its arguments are
// News.
const JobNews = "stripe_news"

// News says what an event is about: a payment, by our name or by Stripe's, or, with neither,
// the store's account.
type News struct {
	Payment string `json:"payment"`
	Intent  string `json:"intent,omitempty"`
}

// Fate is what became of an event.
type Fate string

// The fates of events. All but refused ones are acknowledged.
const (
	Taken    Fate = "taken"    // there is a job for it
	Repeated Fate = "repeated" // there was one before
	Foreign  Fate = "foreign"  // it is about nothing of ours
	Stranger Fate = "stranger" // it is of an account that the store does not have
	Refused  Fate = "refused"  // nobody we know has signed it
)

// Fates are all of them.
var Fates = []Fate{Taken, Repeated, Foreign, Stranger, Refused}

// event is what we read of Stripe's events. All else is asked for.
type event struct {
	ID       string `json:"id"`
	Account  string `json:"account"`
	Livemode bool   `json:"livemode"`
	Data     struct {
		Object struct {
			Object   string `json:"object"`
			Intent   any    `json:"payment_intent"` // its name, or all of it
			Metadata about  `json:"metadata"`
		} `json:"object"`
	} `json:"data"`
}

// about is what an object of ours says of itself.
type about struct {
	Store   string         `json:"stoa_store"`
	Mode    principal.Mode `json:"stoa_mode"`
	Payment string         `json:"stoa_payment"`
}

func (a about) named() bool {
	return ids.Valid("sto", a.Store) && (a.Mode == principal.Live || a.Mode == principal.Test)
}

// disputed is the intent of a dispute, which bears no names of ours; empty for anything else.
func (e event) disputed() string {
	if e.Data.Object.Object != "dispute" {
		return ""
	}
	intent, _ := e.Data.Object.Intent.(string)
	return intent
}

func (e event) mode() principal.Mode {
	if e.Livemode {
		return principal.Live
	}
	return principal.Test
}

// Stores finds the side of a store; tenants/stores does.
type Stores func(ctx context.Context, id string, mode principal.Mode) (postgres.StoreRef, error)

// Receive takes an event as Stripe sent it, and has the workers look at what it is about.
// It belongs to a store when the object names it and the store has the account that the
// event is of: by the platform's signature, or by that of the store's own account. A dispute
// names nothing of ours; it is of the store that its payment names or, where that cannot be
// asked for, of the one that the address named.
func (p *Provider) Receive(ctx context.Context, stores Stores, payload []byte, signature, store string) (Fate, error) {
	var e event
	if err := json.Unmarshal(payload, &e); err != nil || e.ID == "" {
		return Refused, badSignature()
	}
	connected := p.signed(payload, signature)
	about, news := e.Data.Object.Metadata, News{}
	if intent := e.disputed(); !about.named() && intent != "" {
		news.Intent = intent
		if about.Store, about.Mode = store, e.mode(); connected {
			var err error
			if about, err = p.whose(ctx, e, intent); err != nil {
				return Refused, err
			}
		}
	}
	news.Payment = about.Payment
	if !about.named() {
		if connected {
			return Foreign, nil
		}
		return Refused, badSignature()
	}
	ref, err := stores(ctx, about.Store, about.Mode)
	if problem.Is(err, "not_found") {
		if connected {
			return Stranger, nil
		}
		return Refused, badSignature()
	}
	if err != nil {
		return Refused, err
	}
	ctx = postgres.WithStore(principal.With(ctx, principal.Principal{
		Kind: principal.System, Label: payments.StripeName, StoreID: ref.ID, Mode: ref.Mode, RequestID: principal.From(ctx).RequestID,
	}), ref)
	fate := Taken
	err = p.config.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		s, err := payments.Read(ctx, tx)
		if err != nil {
			return err
		}
		if !connected {
			if !p.signedByStore(ref, s, payload, signature) {
				return badSignature()
			}
			e.Account = s.Stripe.ID
		}
		if known, err := hasAccount(ctx, tx, s, e.Account); err != nil || !known {
			fate = Stranger
			return err
		}
		fresh, err := remember(ctx, tx, e.ID)
		if err != nil || !fresh {
			fate = Repeated
			return err
		}
		journal.Audit(ctx, tx, journal.Entry{Action: "payment.news", ObjectID: about.Payment, After: map[string]any{"event": e.ID, "intent": news.Intent}})
		journal.Job(tx, JobNews, news)
		return nil
	})
	if err != nil {
		return Refused, err
	}
	return fate, nil
}

// whose finds out whose payment a dispute of a connected account is about.
func (p *Provider) whose(ctx context.Context, e event, intent string) (about, error) {
	a := access{key: p.config.Keys[e.mode()].Secret, account: e.Account}
	if a.key == "" || a.account == "" {
		return about{}, nil
	}
	found, err := paymentintent.Client{B: p.backend, Key: a.key}.Get(intent, &stripe.PaymentIntentParams{Params: a.params(ctx, "")})
	if err != nil {
		if _, unknown := refused(err); unknown == nil {
			return about{}, nil // of an account that is none of ours any more
		}
		return about{}, fmt.Errorf("look up disputed %s: %w", intent, err)
	}
	m := found.Metadata
	return about{m["stoa_store"], principal.Mode(m["stoa_mode"]), m["stoa_payment"]}, nil
}

func badSignature() error {
	return problem.New(problem.Invalid, "invalid_signature", "Nobody we know has signed this.").
		At("Stripe-Signature", "invalid_signature", "It is made with the webhook's secret over the body as it is, a short while ago.")
}

func (p *Provider) signed(payload []byte, signature string) bool {
	for _, secret := range p.config.WebhookSecrets {
		if webhook.ValidatePayload(payload, signature, secret) == nil {
			return true
		}
	}
	return false
}

func (p *Provider) signedByStore(ref postgres.StoreRef, s payments.Settings, payload []byte, signature string) bool {
	if len(s.Stripe.WebhookSecret) == 0 {
		return false
	}
	secret, err := p.config.Sealer.Open(s.Stripe.WebhookSecret, payments.WebhookBinding(ref))
	return err == nil && webhook.ValidatePayload(payload, signature, string(secret)) == nil
}

// hasAccount says whether an account is the store's, or was when a payment was made.
func hasAccount(ctx context.Context, tx *postgres.Tx, s payments.Settings, account string) (known bool, err error) {
	if account == "" || account == s.Stripe.ID {
		return account != "", nil
	}
	err = tx.QueryRow(ctx, `select exists (select from payments where account = $1)`, account).Scan(&known)
	return known, err
}

// remember notes an event, and says whether it is new. It lies where answers to requests
// are kept, and for as long.
func remember(ctx context.Context, tx *postgres.Tx, id string) (bool, error) {
	tag, err := tx.Exec(ctx, `insert into cell.idempotency (scope, fingerprint, state) values (convert_to($1, 'UTF8'), '', 'done') on conflict do nothing`, "stripe:"+id)
	if err != nil {
		return false, fmt.Errorf("remember event %s: %w", id, err)
	}
	return tag.RowsAffected() == 1, nil
}

// Look works on news: learn is told the payment's ID.
func (p *Provider) Look(ctx context.Context, news News, learn ...func(ctx context.Context, payment string) error) error {
	if news.Payment == "" && news.Intent != "" {
		err := p.config.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			return tx.QueryRow(ctx, `select id from payments where reference = $1 and provider = $2`, news.Intent, payments.StripeName).Scan(&news.Payment)
		})
		if errors.Is(err, postgres.ErrNoRows) {
			return nil // it is of a payment that was made elsewhere, on the same account
		}
		if err != nil {
			return fmt.Errorf("payment of %s: %w", news.Intent, err)
		}
	}
	if news.Payment == "" {
		return p.Learn(ctx)
	}
	var errs []error
	for _, l := range learn {
		errs = append(errs, l(ctx, news.Payment))
	}
	return errors.Join(errs...)
}
