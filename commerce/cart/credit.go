package cart

import (
	"context"
	"encoding/hex"

	"github.com/stoacommerce/stoa/commerce/credit"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// MaxGiftCards is how many gift cards pay for a cart at most.
const MaxGiftCards = 10

// Credit is a gift card or store credit that pays for a cart, or could.
type Credit struct {
	Account        credit.ID
	LastCharacters string // of a gift card's code
	Balance        money.Money
	Amount         money.Money // what it pays
	Usable         bool        // it is neither expired nor turned off
	Used           bool        // the shopper wants it used

	digest string
}

// documentCredit is one as a statement gives it.
type documentCredit struct {
	Account credit.ID `json:"id"`
	Kind    string    `json:"kind"`
	Last    string    `json:"last"`
	Digest  string    `json:"digest"`
	Balance int64     `json:"balance"`
	Usable  bool      `json:"usable"`
	Used    bool      `json:"used"`
	Paid    *int64    `json:"paid"` // of a cart that is being paid for, or was
}

// creditsJSON are the gift cards of the cart c and the store credit of its customer. Of a cart
// that is being paid for, or was bought, it is what they paid.
const creditsJSON = `(select coalesce(json_agg(json_build_object('id', t.id, 'kind', t.kind, 'last', t.last_characters, 'digest', encode(t.code_digest, 'hex'),
		'balance', t.balance, 'usable', t.active and (t.expires_at is null or t.expires_at > now()), 'used', t.used, 'paid', t.paid) order by t.at, t.id), '[]')
	from (
		select a.*, true as used, g.at, null::bigint as paid from unnest(c.gift_cards) with ordinality as g(id, at)
			join credit_accounts a on a.id = g.id where c.state = 'open'
		union all
		select a.*, c.use_store_credit, 0, null from credit_accounts a
			where c.state = 'open' and a.kind = 'store_credit' and a.customer_id = c.customer_id and a.currency = c.currency
		union all
		select a.*, true, 0, p.amount from payments p join credit_accounts a on a.id = p.reference
			where c.state <> 'open' and p.cart_id = c.id and p.provider in ` + credit.Providers + ` and p.state in ('pending', 'captured')
	) t)`

// spend finds out what gift cards and store credit pay of the total, and what is left. Gift
// cards come first, in the order in which they were given.
func (c *Cart) spend(credits []documentCredit) {
	c.Due = c.Totals.Total
	amount := func(n int64) money.Money { return money.New(n, c.Currency) }
	pay := func(d documentCredit) Credit {
		n := int64(0)
		switch {
		case d.Paid != nil:
			n = *d.Paid
		case d.Used && d.Usable:
			n = min(d.Balance, c.Due.Amount)
		}
		c.Due.Amount -= n
		return Credit{d.Account, d.Last, amount(d.Balance), amount(n), d.Usable, d.Used, d.Digest}
	}
	for _, d := range credits {
		if d.Kind == credit.GiftCard {
			c.GiftCards = append(c.GiftCards, pay(d))
		}
	}
	if c.CustomerID == "" {
		return
	}
	c.StoreCredit = &Credit{Balance: amount(0), Amount: amount(0)}
	for _, d := range credits {
		if d.Kind == credit.StoreCredit {
			paid := pay(d)
			c.StoreCredit = &paid
		}
	}
}

// Spending is what each account is to pay, those that pay nothing left out.
func (c *Cart) Spending() []credit.Spending {
	var list []credit.Spending
	add := func(kind string, from Credit) {
		if !from.Amount.IsZero() {
			list = append(list, credit.Spending{Account: from.Account, Kind: kind, Amount: from.Amount.Amount})
		}
	}
	for _, card := range c.GiftCards {
		add(credit.GiftCard, card)
	}
	if c.StoreCredit != nil {
		add(credit.StoreCredit, *c.StoreCredit)
	}
	return list
}

// AddGiftCard has a gift card pay for a cart, as far as it goes. Whatever is wrong with its
// code, the answer is the same.
func (s *Service) AddGiftCard(ctx context.Context, tx *postgres.Tx, ref Ref, code string) (*Cart, error) {
	digest := hex.EncodeToString(credit.Digest(code))
	c, err := s.change(ctx, tx, addGiftCardSQL, ref, 0, digest)
	if err != nil {
		return nil, s.why(ctx, tx, ref, 0, err)
	}
	var card *Credit
	for i := range c.GiftCards {
		if c.GiftCards[i].digest == digest {
			card = &c.GiftCards[i]
		}
	}
	switch {
	case card == nil || !card.Usable || card.Balance.IsZero():
		return nil, codeInvalid()
	case len(c.GiftCards) > MaxGiftCards:
		return nil, problem.New(problem.Unprocessable, "too_many", "A cart has at most %d gift cards.", MaxGiftCards)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "cart.add_gift_card", ObjectID: c.ID, After: map[string]any{"gift_card_id": card.Account}})
	return c, nil
}

// RemoveGiftCard has a gift card no longer pay for a cart.
func (s *Service) RemoveGiftCard(ctx context.Context, tx *postgres.Tx, ref Ref, id credit.ID, version int) (*Cart, error) {
	c, err := s.change(ctx, tx, removeGiftCardSQL, ref, version, string(id))
	if err != nil {
		return nil, s.why(ctx, tx, ref, version, err)
	}
	if len(c.GiftCards) == c.carded {
		return nil, problem.Missing("gift card of this cart")
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "cart.remove_gift_card", ObjectID: c.ID, Before: map[string]any{"gift_card_id": id}})
	return c, nil
}

// addGiftCardSQL notes the gift card whose code has the digest $5, if it can be spent, and
// removeGiftCardSQL takes one away.
var (
	addGiftCardSQL = `
with c as (` + touch + `, gift_cards = coalesce((select carts.gift_cards || a.id from credit_accounts a where a.code_digest = decode($5, 'hex') and a.kind = 'gift_card'
		and a.active and (a.expires_at is null or a.expires_at > now()) and a.balance > 0 and a.currency = carts.currency and a.id <> all(carts.gift_cards)), gift_cards)` + touched + `),
changed as (select * from cart_lines where false),` + merged + selectDocument

	removeGiftCardSQL = `
with c as (` + touch + `, gift_cards = array_remove(gift_cards, $5)` + touched + `),
changed as (select * from cart_lines where false),` + merged + selectDocument
)
