package storefront

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/secrets"
	"github.com/stoacommerce/stoa/tenants"
)

// Links are addresses of shops, and of what lies in them for one shopper only. They are
// what mails to shoppers lead to.
type Links struct {
	// ShopURL is where the shop of a side of a store is, without a slash at the end.
	ShopURL func(store *tenants.Store) string
	Stores  Stores
	Pepper  secrets.Pepper // signs what opens an order
}

// Stores knows a store by its ID; tenants/stores does.
type Stores interface {
	ByID(ctx context.Context, id string, mode principal.Mode) (tenants.Store, error)
}

// Base is the address of a store's shop, without a path: "https://linen.stoa.example".
func (l *Links) Base(store tenants.Store) string { return l.ShopURL(&store) }

// Order is the address at which the shopper finds an order of the context's store, with
// what opens it.
func (l *Links) Order(ctx context.Context, orderID string) (string, error) {
	return l.within(ctx, "/orders/"+orderID, func(ref postgres.StoreRef) url.Values {
		return url.Values{"key": {l.key(ref, orderID)}}
	})
}

// TestPayment is the page at which a shopper takes the second step of a test payment.
func (l *Links) TestPayment(ctx context.Context, payment string) (string, error) {
	return l.within(ctx, "/checkout/test/"+payment, func(postgres.StoreRef) url.Values { return nil })
}

// RecoverCart is the address at which a shopper finds a cart of the context's store again,
// with what opens it.
func (l *Links) RecoverCart(ctx context.Context, cartID string) (string, error) {
	return l.within(ctx, "/cart/recover/"+cartID, func(ref postgres.StoreRef) url.Values {
		return url.Values{"key": {l.sign(ref, "cart", cartID)}}
	})
}

// PayDraft is the address at which a draft order of the context's store is paid, with what
// opens it.
func (l *Links) PayDraft(ctx context.Context, id string) (string, error) {
	return l.within(ctx, "/pay/"+id, func(ref postgres.StoreRef) url.Values {
		return url.Values{"key": {l.sign(ref, "draft", id)}}
	})
}

// OpensDraft says whether key is that of the link to a draft order of the context's store.
func (l *Links) OpensDraft(ctx context.Context, id, key string) bool {
	ref, ok := postgres.StoreFrom(ctx)
	return ok && l.signed(ref, "draft", id, key)
}

// ConfirmAlert is the address at which a shopper says that they want to be told when something
// of the context's store is back; EndAlert that at which they say that they do not, at once by
// a POST, as RFC 8058 has it.
func (l *Links) ConfirmAlert(ctx context.Context, id string) (string, error) {
	return l.within(ctx, "/stock-alerts/"+id+"/confirm", func(ref postgres.StoreRef) url.Values { return url.Values{"key": {l.sign(ref, "alert", id)}} })
}

// EndAlert is described at ConfirmAlert.
func (l *Links) EndAlert(ctx context.Context, id string) (string, error) {
	return l.within(ctx, "/stock-alerts/"+id+"/end", func(ref postgres.StoreRef) url.Values { return url.Values{"key": {l.sign(ref, "alert", id)}} })
}

// Product is the address of a product of the context's store, with one of its variants chosen.
func (l *Links) Product(ctx context.Context, handle, variant string) (string, error) {
	return l.within(ctx, "/products/"+handle, func(postgres.StoreRef) url.Values { return url.Values{"variant": {variant}} })
}

// VerifyCustomer is the address at which a shopper proves an e-mail address with the token
// that was sent to it.
func (l *Links) VerifyCustomer(ctx context.Context, token string) (string, error) {
	return l.within(ctx, "/account/verify", func(postgres.StoreRef) url.Values { return url.Values{"token": {token}} })
}

// SignIn is the address at which shoppers sign in.
func (l *Links) SignIn(ctx context.Context) (string, error) {
	return l.within(ctx, "/account/sign-in", func(postgres.StoreRef) url.Values { return nil })
}

// ForgotPassword is the address at which shoppers ask for a new password.
func (l *Links) ForgotPassword(ctx context.Context) (string, error) {
	return l.within(ctx, "/account/forgot-password", func(postgres.StoreRef) url.Values { return nil })
}

// ResetPassword is the address at which a shopper sets a new password with the token that
// was sent for it.
func (l *Links) ResetPassword(ctx context.Context, token string) (string, error) {
	return l.within(ctx, "/account/reset-password", func(postgres.StoreRef) url.Values { return url.Values{"token": {token}} })
}

// ConfirmEmail is the address at which a shopper confirms another e-mail address with the
// token that was sent to it.
func (l *Links) ConfirmEmail(ctx context.Context, token string) (string, error) {
	return l.within(ctx, "/account/email/confirm", func(postgres.StoreRef) url.Values { return url.Values{"token": {token}} })
}

// ConfirmSubscription is the address at which somebody confirms that they want to be written
// to, with the token that was sent for it.
func (l *Links) ConfirmSubscription(ctx context.Context, token string) (string, error) {
	return l.within(ctx, "/newsletter/confirm", func(postgres.StoreRef) url.Values { return url.Values{"token": {token}} })
}

// Unsubscribe is the address at which a customer, or whoever a cart is of, says that they want
// no more mails about new things, with what lets them do so without signing in. A POST to it
// does so at once, as RFC 8058 has it.
func (l *Links) Unsubscribe(ctx context.Context, id string) (string, error) {
	return l.within(ctx, "/unsubscribe/"+id, func(ref postgres.StoreRef) url.Values {
		return url.Values{"key": {l.sign(ref, "unsubscribe", id)}}
	})
}

// Unsubscribes says whether key is that of the link by which a customer of the context's
// store, or whoever a cart is of, is written to no more.
func (l *Links) Unsubscribes(ctx context.Context, id, key string) bool {
	ref, ok := postgres.StoreFrom(ctx)
	return ok && l.signed(ref, "unsubscribe", id, key)
}

// OpensOrder says whether key is that of the link to an order of the context's store.
func (l *Links) OpensOrder(ctx context.Context, id, key string) bool {
	ref, ok := postgres.StoreFrom(ctx)
	return ok && l.opens(ref, id, key)
}

// Preview is the address at which the shop of the context's store is shown as the draft of its
// theme has it, until an instant.
func (l *Links) Preview(ctx context.Context, until time.Time) (string, error) {
	ref, ok := postgres.StoreFrom(ctx)
	if !ok {
		return "", postgres.ErrNoStore
	}
	return l.within(ctx, previewPath+l.previewKey(ref, until)+"/", func(postgres.StoreRef) url.Values { return nil })
}

// previewPath is what the addresses of previews begin with.
const previewPath = "/preview/"

// previewKey opens previews until an instant, which it tells.
func (l *Links) previewKey(ref postgres.StoreRef, until time.Time) string {
	end := strconv.FormatInt(until.Unix(), 36)
	return end + "-" + l.sign(ref, "preview", end)
}

// opensPreview says whether a key opens previews now.
func (l *Links) opensPreview(ref postgres.StoreRef, key string) bool {
	end, signature, _ := strings.Cut(key, "-")
	until, err := strconv.ParseInt(end, 36, 64)
	return err == nil && l.signed(ref, "preview", end, signature) && time.Now().Unix() < until
}

// within is an address in the shop of the context's store.
func (l *Links) within(ctx context.Context, path string, query func(postgres.StoreRef) url.Values) (string, error) {
	ref, ok := postgres.StoreFrom(ctx)
	if !ok {
		return "", postgres.ErrNoStore
	}
	store, err := l.Stores.ByID(ctx, ref.ID, ref.Mode)
	if err != nil {
		return "", err
	}
	address := l.Base(store) + path
	if values := query(ref); len(values) > 0 {
		address += "?" + values.Encode()
	}
	return address, nil
}

// Code is how the password of a shop that is not open yet is kept.
func (l *Links) Code(password string) string {
	return base64.RawURLEncoding.EncodeToString(l.Pepper.HMAC("password\x00" + password))
}

// Enter is the address by which whoever has it comes into a shop that is not open.
func (l *Links) Enter(ctx context.Context, seed string) (string, error) {
	return l.within(ctx, "/", func(ref postgres.StoreRef) url.Values { return url.Values{"enter": {l.sign(ref, "door", seed)}} })
}

// key opens an order to whoever has it.
func (l *Links) key(ref postgres.StoreRef, orderID string) string {
	return l.sign(ref, "order", orderID)
}

// sign makes the key of a thing of some kind.
func (l *Links) sign(ref postgres.StoreRef, kind, id string) string {
	sum := l.Pepper.HMAC(strings.Join([]string{kind, ref.ID, string(ref.Mode), id}, "\x00"))
	return base64.RawURLEncoding.EncodeToString(sum[:18])
}

// opens says whether key opens the order.
func (l *Links) opens(ref postgres.StoreRef, orderID, key string) bool {
	return l.signed(ref, "order", orderID, key)
}

// signed says whether key is that of the thing.
func (l *Links) signed(ref postgres.StoreRef, kind, id, key string) bool {
	return subtle.ConstantTimeCompare([]byte(key), []byte(l.sign(ref, kind, id))) == 1
}
