package storefront

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/credit"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/web/page"
)

// form reads what a page's form sent.
func (v *visit) form() (page.Form, error) { return page.ReadForm(v.w, v.r) }

// cart reads the browser's cart; nil when it has none, or none that still exists.
func (v *visit) cart() (*cart.Cart, error) {
	ref, held := v.cartRef()
	if !held {
		return nil, nil
	}
	c, err := v.config().Carts.Read(v.r.Context(), ref)
	if problem.Is(err, "not_found") {
		v.dropCart()
		return nil, nil
	}
	if err == nil && c.State == cart.Open && c.Locale != v.locale {
		return v.translated(ref)
	}
	return c, err
}

// translated is a cart whose shopper has chosen another language since.
func (v *visit) translated(ref cart.Ref) (*cart.Cart, error) {
	err := v.inStore(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := v.config().Carts.Update(ctx, tx, ref, cart.Change{Locales: append([]string{}, v.chain...)}, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	return v.config().Carts.Read(v.r.Context(), ref)
}

// cartPage shows what is in the cart.
func (v *visit) cartPage() error {
	v.leaveDraft()
	c, err := v.cart()
	if err != nil {
		return err
	}
	return v.showCart(c, http.StatusOK, nil)
}

func (v *visit) showCart(c *cart.Cart, status int, refused *problem.Problem) error {
	if c != nil && c.State == cart.Completed {
		v.dropCart() // it has become an order, and the next thing begins a new one
		c = nil
	}
	p := &cartView{view: v.view("", "/cart"), Cart: c}
	p.Title, p.Description = p.T("Cart"), p.T("Whatever you choose will wait for you here.")
	if c != nil {
		p.Currency = c.Currency
	}
	if refused != nil {
		p.Refused = p.refusal(refused)
	}
	if added := v.r.URL.Query().Get("added"); added != "" && c != nil && status == http.StatusOK {
		for i := range c.Lines {
			if c.Lines[i].VariantID == added {
				p.Added = &c.Lines[i]
			}
		}
	}
	return page.Personal(v.w, v.r, status, cartPage(p))
}

// put puts a variant into the cart, and makes a cart where there is none.
func (v *visit) put() error {
	f, err := v.form()
	if err != nil {
		return err
	}
	variant := f.Value("variant")
	quantity, err := strconv.ParseInt(f.Value("quantity"), 10, 64)
	if err != nil {
		quantity = 1
		if f.Value("quantity") != "" {
			quantity = 0 // which the cart refuses in words
		}
	}
	items := []cart.Item{{VariantID: variant, Quantity: quantity}}
	c, err := v.cart()
	if err != nil {
		return err
	}
	currency := v.settings.Currency
	for _, code := range v.settings.Currencies {
		if code == f.Value("currency") {
			currency = code
		}
	}
	if c != nil && c.State == cart.Open && c.Currency == currency {
		ref, _ := v.cartRef()
		err = v.inStore(func(ctx context.Context, tx *postgres.Tx) error {
			_, err := v.config().Carts.Add(ctx, tx, ref, items...)
			return err
		})
	} else {
		err = v.begin(c, currency, items)
	}
	if refused := problem.As(err); refused != nil && refused.Kind < problem.Internal && refused.Kind != problem.Limited {
		return v.showCart(c, int(refused.Kind), refused)
	}
	if err != nil {
		return err
	}
	v.see("/cart?" + url.Values{"added": {variant}}.Encode())
	return nil
}

// begin makes a new cart. What is in a former one of another currency comes along, at its
// prices in the new currency.
func (v *visit) begin(former *cart.Cart, currency string, items []cart.Item) error {
	buyer, err := v.customerOf()
	if err != nil {
		return err
	}
	in := cart.CreateInput{Currency: currency, CustomerID: buyer, Locales: v.chain, Items: items}
	if former != nil && former.State == cart.Open {
		in.Email, in.Items = former.Email, nil
		for _, line := range former.Lines {
			in.Items = append(in.Items, cart.Item{VariantID: line.VariantID, Quantity: line.Quantity})
		}
		in.Items = merged(append(in.Items, items...))
	}
	return v.inStore(func(ctx context.Context, tx *postgres.Tx) error {
		c, token, err := v.config().Carts.Create(ctx, tx, in)
		if err != nil {
			return err
		}
		tx.AfterCommit(func() { v.keepCart(cart.Ref{ID: c.ID, Token: token}) })
		return nil
	})
}

// merged adds up items of the same variant.
func merged(items []cart.Item) []cart.Item {
	var list []cart.Item
	at := map[string]int{}
	for _, item := range items {
		if i, there := at[item.VariantID]; there {
			list[i].Quantity += item.Quantity
			continue
		}
		at[item.VariantID] = len(list)
		list = append(list, item)
	}
	return list
}

// setLine changes how many of a line there are; none takes it out.
func (v *visit) setLine() error {
	f, err := v.form()
	if err != nil {
		return err
	}
	quantity, err := strconv.ParseInt(f.Value("quantity"), 10, 64)
	if err != nil {
		quantity = -1 // which the cart refuses in words
	}
	return v.change(func(ctx context.Context, tx *postgres.Tx, ref cart.Ref) error {
		line := v.r.PathValue("line")
		if quantity == 0 {
			_, err := v.config().Carts.Remove(ctx, tx, ref, line, 0)
			return err
		}
		_, err := v.config().Carts.SetQuantity(ctx, tx, ref, line, quantity, 0)
		return err
	})
}

func (v *visit) removeLine() error {
	return v.change(func(ctx context.Context, tx *postgres.Tx, ref cart.Ref) error {
		_, err := v.config().Carts.Remove(ctx, tx, ref, v.r.PathValue("line"), 0)
		if problem.Is(err, "not_found") {
			return nil // it is out already
		}
		return err
	})
}

func (v *visit) addCode() error {
	f, err := v.form()
	if err != nil {
		return err
	}
	return v.change(func(ctx context.Context, tx *postgres.Tx, ref cart.Ref) error {
		_, err := v.config().Carts.AddCode(ctx, tx, ref, f.Value("code"))
		return err
	}, func(ctx context.Context, tx *postgres.Tx, ref cart.Ref) error {
		_, err := v.config().Carts.AddGiftCard(ctx, tx, ref, f.Value("code"))
		return err
	})
}

func (v *visit) removeGiftCard() error {
	f, err := v.form()
	if err != nil {
		return err
	}
	return v.change(func(ctx context.Context, tx *postgres.Tx, ref cart.Ref) error {
		_, err := v.config().Carts.RemoveGiftCard(ctx, tx, ref, credit.ID(f.Value("card")), 0)
		if problem.Is(err, "not_found") {
			return nil // it is out already
		}
		return err
	})
}

func (v *visit) removeCode() error {
	f, err := v.form()
	if err != nil {
		return err
	}
	return v.change(func(ctx context.Context, tx *postgres.Tx, ref cart.Ref) error {
		_, err := v.config().Carts.RemoveCode(ctx, tx, ref, f.Value("code"), 0)
		if problem.Is(err, "not_found") {
			return nil // it is out already
		}
		return err
	})
}

// change changes the cart and shows it. A code that is none of one kind may be of another:
// then the next way is tried.
func (v *visit) change(ways ...func(ctx context.Context, tx *postgres.Tx, ref cart.Ref) error) error {
	ref, held := v.cartRef()
	if !held {
		v.see("/cart")
		return nil
	}
	var err error
	for _, fn := range ways {
		err = v.inStore(func(ctx context.Context, tx *postgres.Tx) error { return fn(ctx, tx, ref) })
		if !problem.Is(err, "code_invalid") {
			break
		}
	}
	if refused := problem.As(err); refused != nil && refused.Kind < problem.Internal {
		c, err := v.cart()
		if err != nil {
			return err
		}
		return v.showCart(c, int(refused.Kind), refused)
	}
	if err != nil {
		return err
	}
	v.see("/cart")
	return nil
}

func (v *visit) inStore(fn func(ctx context.Context, tx *postgres.Tx) error) error {
	return v.config().DB.InStore(v.r.Context(), fn)
}

// recoverCart opens a cart to who has the link back to it, in place of what the browser
// holds.
func (v *visit) recoverCart() error {
	ctx, id := v.r.Context(), v.r.PathValue("cart")
	ref, _ := postgres.StoreFrom(ctx)
	if v.config().Links.signed(ref, "cart", id, v.r.URL.Query().Get("key")) {
		found, open, err := v.config().Carts.Recover(ctx, id)
		if err != nil {
			return err
		}
		if open {
			v.keepCart(found)
		}
	}
	v.see("/cart")
	return nil
}
