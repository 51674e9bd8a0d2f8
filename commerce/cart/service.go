package cart

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/promotions"
	"github.com/stoacommerce/stoa/commerce/rates"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/token"
)

// Service reads and changes carts of the context's store.
type Service struct {
	Rates *rates.Service // who asks for prices of sending and for taxes; nil where only the store's tables count

	db *postgres.DB
}

// New makes the service.
func New(db *postgres.DB) *Service { return &Service{db: db} }

// ActionBegin is what the audit calls the beginning of a checkout: that a cart was nobody's
// and has an e-mail address now.
const ActionBegin = "checkout.begin"

// Item is what is put into a cart. At is where it stands in the request, for faults.
type Item struct {
	VariantID  string
	Quantity   int64
	Attributes map[string]string // what the shopper says of it: with others it is another line
	At         string
}

// CreateInput is a new cart: all of it may be left out.
type CreateInput struct {
	Currency   string // the store's own when empty
	Email      string
	CustomerID string   // of who is signed in
	Country    string   // where it is likely to go; the store's own when empty
	Locales    []string // whose texts it shows, the nearest first; as they are written when empty
	Items      []Item
}

// Change is what is to be different about a cart; nil leaves a thing as it is.
type Change struct {
	Email           *string // empty removes it
	Note            *string
	MethodID        *string
	Country         *string           // empty removes it
	Locales         []string          // whose texts it shows; not nil and empty for texts as they are written
	UseStoreCredit  *bool             // pay with what the shop owes the customer, as far as that goes
	Customer        string            // who is signed in and asks for it
	ShippingAddress **address.Address // to nil removes it
	BillingAddress  **address.Address
}

// Create makes a cart and gives the token that opens it, which nobody can give again.
func (s *Service) Create(ctx context.Context, tx *postgres.Tx, in CreateInput) (*Cart, string, error) {
	in.Email = address.Email(in.Email)
	if err := validate(in.Items, in.Email, in.Country); err != nil {
		return nil, "", err
	}
	ref := Ref{ID: ids.New("cart"), Token: token.New("ct")}
	c, err := s.change(ctx, tx, createSQL, ref, in.Currency, rows(in.Items), in.Email, in.CustomerID, in.Country, append([]string{}, in.Locales...))
	if errors.Is(err, postgres.ErrNoRows) {
		return nil, "", problem.New(problem.Unprocessable, "currency_not_sold", "This shop does not sell in %s.", in.Currency).
			At("/currency", "currency", "The shop's currencies are in its settings.")
	}
	if err == nil {
		err = c.has(in.Items)
	}
	if err != nil {
		return nil, "", fmt.Errorf("create a cart: %w", err)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "cart.create", ObjectID: c.ID, After: map[string]any{"currency": c.Currency, "lines": len(c.Lines)}})
	return c, ref.Token, nil
}

// Read gives a cart at the prices of the moment, for which services may be asked.
func (s *Service) Read(ctx context.Context, ref Ref) (*Cart, error) {
	raw, err := s.json(ctx, readSQL, ref)
	if err != nil {
		return nil, err
	}
	return s.priced(ctx, raw)
}

// Add puts something into a cart; of a variant that is there already there is more then.
func (s *Service) Add(ctx context.Context, tx *postgres.Tx, ref Ref, items ...Item) (*Cart, error) {
	if err := validate(items, "", ""); err != nil {
		return nil, err
	}
	c, err := s.change(ctx, tx, addSQL, ref, 0, rows(items))
	if err != nil {
		return nil, s.why(ctx, tx, ref, 0, err)
	}
	if err := c.has(items); err != nil {
		return nil, err
	}
	for _, item := range items {
		journal.Audit(ctx, tx, journal.Entry{Action: "cart.add", ObjectID: c.ID, After: map[string]any{"variant_id": item.VariantID, "quantity": item.Quantity}})
	}
	return c, nil
}

// SetQuantity changes how many of a line there are. Version, here and below, is the one
// that the change is meant for, or 0.
func (s *Service) SetQuantity(ctx context.Context, tx *postgres.Tx, ref Ref, lineID string, quantity int64, version int) (*Cart, error) {
	if quantity < 1 || quantity > MaxQuantity {
		return nil, tooMany("/quantity")
	}
	c, err := s.change(ctx, tx, setSQL, ref, version, lineID, strconv.FormatInt(quantity, 10))
	if err != nil {
		return nil, s.why(ctx, tx, ref, version, err)
	}
	if c.changed == 0 {
		return nil, problem.Missing("line of this cart")
	}
	if err := c.enough("/quantity", func(l Line) bool { return l.ID == lineID }); err != nil {
		return nil, err
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "cart.set_quantity", ObjectID: c.ID, After: map[string]any{"line_id": lineID, "quantity": quantity}})
	return c, nil
}

// Remove takes a line out of a cart.
func (s *Service) Remove(ctx context.Context, tx *postgres.Tx, ref Ref, lineID string, version int) (*Cart, error) {
	c, err := s.change(ctx, tx, removeSQL, ref, version, lineID)
	if err != nil {
		return nil, s.why(ctx, tx, ref, version, err)
	}
	if c.changed == 0 {
		return nil, problem.Missing("line of this cart")
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "cart.remove", ObjectID: c.ID, After: map[string]any{"line_id": lineID}})
	return c, nil
}

// Update sets addresses, e-mail address, shipping method or note.
func (s *Service) Update(ctx context.Context, tx *postgres.Tx, ref Ref, change Change, version int) (*Cart, error) {
	set, err := change.fields()
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(set)
	if err != nil {
		return nil, fmt.Errorf("change cart %s: %w", ref.ID, err)
	}
	c, err := s.change(ctx, tx, updateSQL, ref, version, string(raw))
	if err != nil {
		return nil, s.why(ctx, tx, ref, version, err)
	}
	if err := c.respect(set); err != nil {
		return nil, err
	}
	if use := change.UseStoreCredit; use != nil && *use && (c.CustomerID == "" || c.CustomerID != change.Customer) {
		return nil, problem.New(problem.Unprocessable, "sign_in_required", "Store credit is spent by the customer whom it belongs to.").
			At("", "sign_in_required", "The cart belongs to nobody, or to somebody else: open the customer's own.")
	}
	if id := change.MethodID; id != nil && *id != "" && (c.Method == nil || !c.Method.Usable) {
		return nil, problem.New(problem.Unprocessable, "shipping_unavailable", "This shipping method does not serve the cart.").
			At("/shipping_method_id", ShippingUnavailable, "Ask for the cart's shipping methods.")
	}
	if c.Draft != nil {
		journal.Audit(ctx, tx, journal.Entry{Action: "draft_order.update", ObjectID: c.ID, Before: c.was.Details, After: c.Details()})
		return c, nil
	}
	// The values are the shopper's own, and of no concern to the audit until they buy.
	journal.Audit(ctx, tx, journal.Entry{Action: "cart.update", ObjectID: c.ID, After: map[string]any{"changed": slices.Collect(maps.Keys(set))}})
	return c, nil
}

// AddCode puts a code into a cart. One that is not to be had is refused; one that has no
// effect on this cart is kept, and its Code says why.
func (s *Service) AddCode(ctx context.Context, tx *postgres.Tx, ref Ref, text string) (*Cart, error) {
	text = promotions.Normal(text)
	c, err := s.change(ctx, tx, addCodeSQL, ref, 0, text)
	if err != nil {
		return nil, s.why(ctx, tx, ref, 0, err)
	}
	if code := c.code(text); code == nil || code.Reason == NotAvailable {
		return nil, codeInvalid()
	}
	if len(c.Codes) > MaxCodes {
		return nil, problem.New(problem.Unprocessable, "too_many", "A cart has at most %d codes.", MaxCodes)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "cart.add_code", ObjectID: c.ID, After: map[string]any{"code": text}})
	return c, nil
}

// RemoveCode takes a code out of a cart.
func (s *Service) RemoveCode(ctx context.Context, tx *postgres.Tx, ref Ref, text string, version int) (*Cart, error) {
	text = promotions.Normal(text)
	c, err := s.change(ctx, tx, removeCodeSQL, ref, version, text)
	if err != nil {
		return nil, s.why(ctx, tx, ref, version, err)
	}
	if len(c.Codes) == c.coded {
		return nil, problem.Missing("code of this cart")
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "cart.remove_code", ObjectID: c.ID, Before: map[string]any{"code": text}})
	return c, nil
}

// Options are the ways to send a cart with what they cost, in the merchant's order.
func (s *Service) Options(ctx context.Context, ref Ref) ([]Method, error) {
	raw, err := s.json(ctx, optionsSQL, ref)
	if err != nil {
		return nil, err
	}
	c, err := s.priced(ctx, raw)
	if err != nil {
		return nil, err
	}
	if c.State == Completed {
		return nil, nil // there is nothing to choose any more
	}
	return slices.DeleteFunc(c.methods, func(m Method) bool { return !m.Usable }), nil
}

// change runs one of the statements that change a cart.
func (s *Service) change(ctx context.Context, tx *postgres.Tx, sql string, ref Ref, third any, more ...any) (*Cart, error) {
	args := append([]any{ref.ID, hash(ref), third, Lifetime}, more...)
	var raw []byte
	if err := tx.QueryRow(ctx, sql, args...).Scan(&raw); err != nil {
		return nil, err
	}
	c, err := parse(raw, nil)
	if err != nil {
		return nil, err
	}
	if c.behind != 1 {
		// The row is ours by now, so that this reading is the last word.
		first := c
		reading := readSQL
		if ref.Token == "" {
			reading = staffReadSQL
		}
		if c, err = readIn(ctx, tx, reading, ref); err != nil {
			return nil, err
		}
		c.changed, c.begun, c.coded, c.carded, c.was = first.changed, first.begun, first.coded, first.carded, first.was
	}
	if c.begun && c.Draft == nil {
		journal.Audit(ctx, tx, journal.Entry{Action: ActionBegin, ObjectID: c.ID})
		c.watch(tx)
	}
	if len(c.Lines) > MaxLines {
		return nil, problem.New(problem.Unprocessable, "too_many", "A cart has at most %d lines.", MaxLines)
	}
	return c, nil
}

// ReadIn gives a cart as the transaction sees it.
func (s *Service) ReadIn(ctx context.Context, tx *postgres.Tx, ref Ref) (*Cart, error) {
	if ref.Merchant {
		return readIn(ctx, tx, draftReadSQL, ref)
	}
	c, err := readIn(ctx, tx, readSQL, ref)
	if c != nil {
		c.Opener = hash(ref)
	}
	return c, err
}

func readIn(ctx context.Context, tx *postgres.Tx, sql string, ref Ref) (*Cart, error) {
	var raw []byte
	err := tx.QueryRow(ctx, sql, ref.ID, hash(ref)).Scan(&raw)
	if _, err := postgres.Must(raw, err, "cart"); err != nil {
		return nil, err
	}
	return parse(raw, nil)
}

// Lock holds a cart for the rest of the transaction and gives its state.
func (s *Service) Lock(ctx context.Context, tx *postgres.Tx, ref Ref) (State, error) {
	var state State
	var version int
	locking := lockSQL
	if ref.Merchant {
		locking = draftLockSQL
	}
	err := tx.QueryRow(ctx, locking, ref.ID, hash(ref)).Scan(&state, &version)
	if errors.Is(err, postgres.ErrNoRows) {
		return "", problem.Missing("cart")
	}
	if err != nil {
		return "", fmt.Errorf("lock cart %s: %w", ref.ID, err)
	}
	return state, nil
}

// StaffRead gives a cart to the staff, who hold no token.
func (s *Service) StaffRead(ctx context.Context, id string) (*Cart, error) {
	raw, err := s.db.JSON(ctx, staffReadSQL, id, "")
	if raw, err = postgres.Must(raw, err, "cart"); err != nil {
		return nil, err
	}
	return parse(raw, nil)
}

// Exempt notes why who buys this cart pays no tax; an empty reason lets them pay it.
func (s *Service) Exempt(ctx context.Context, tx *postgres.Tx, id, reason string, version int) (*Cart, error) {
	if n := utf8.RuneCountInString(reason); n > 255 || !utf8.ValidString(reason) || strings.ContainsFunc(reason, unicode.IsControl) {
		return nil, problem.New(problem.Unprocessable, "details_invalid", "The cart cannot be like this.").
			At("/tax_exempt_reason", "characters", "It is one line of at most 255 characters.")
	}
	ref := Ref{ID: id}
	c, err := s.change(ctx, tx, exemptSQL, ref, version, reason)
	if err != nil {
		return nil, s.whyNot(ctx, tx, staffWhySQL, ref, version, err)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "cart.exempt", ObjectID: id, Reason: reason,
		Before: map[string]any{"tax_exempt_reason": c.was.TaxExemptReason}, After: map[string]any{"tax_exempt_reason": reason}})
	return c, nil
}

// why turns the failure of a change into what the shopper is told.
func (s *Service) why(ctx context.Context, tx *postgres.Tx, ref Ref, version int, err error) error {
	return s.whyNot(ctx, tx, whySQL, ref, version, err)
}

func (s *Service) whyNot(ctx context.Context, tx *postgres.Tx, sql string, ref Ref, version int, err error) error {
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "23514" {
		return tooMany("/quantity")
	}
	if !errors.Is(err, postgres.ErrNoRows) {
		return fmt.Errorf("change cart %s: %w", ref.ID, err)
	}
	var state State
	var present int
	var draft bool
	err = tx.QueryRow(ctx, sql, ref.ID, hash(ref)).Scan(&state, &present, &draft)
	switch {
	case errors.Is(err, postgres.ErrNoRows):
		return problem.Missing("cart")
	case err != nil:
		return fmt.Errorf("change cart %s: %w", ref.ID, err)
	case state == Completed:
		return IsCompleted()
	case state == Open && version != 0 && version != present:
		return problem.New(problem.Stale, "stale", "The cart was changed since; its version is %d by now.", present)
	case state == Open && draft:
		return IsAgreed()
	default:
		// If it is open again, an attempt to pay ended between the two statements.
		return IsCompleting()
	}
}

// IsCompleted is the answer to whoever wants to change a cart that has become an order.
func IsCompleted() *problem.Problem {
	return problem.New(problem.Conflict, "cart_completed", "The cart has become an order already.")
}

// IsCompleting is the answer to whoever wants to change a cart that is being paid for.
func IsCompleting() *problem.Problem {
	return problem.New(problem.Conflict, "completion_in_progress", "The cart is being paid for.")
}

func hash(ref Ref) string { return hex.EncodeToString(token.Hash(ref.Token)) }

func (s *Service) json(ctx context.Context, sql string, ref Ref) ([]byte, error) {
	raw, err := s.db.JSON(ctx, sql, ref.ID, hash(ref))
	return postgres.Must(raw, err, "cart")
}
