package storefront

import (
	"context"
	"net/http"
	"net/url"

	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/web/page"
)

// marketingWords are what shoppers agree to. They are kept with the consent, in the language
// in which they were read.
const marketingWords = "The shop may write to me about new things"

func (v *visit) newsletterForm() error {
	return page.Personal(v.w, v.r, http.StatusOK, newsletter(v.accountForm("Newsletter", page.Form{})))
}

// subscribe answers the same for all addresses.
func (v *visit) subscribe() error {
	f, err := v.form()
	if err != nil {
		return err
	}
	words := v.view("", "").T(marketingWords)
	err = v.inStore(func(ctx context.Context, tx *postgres.Tx) error {
		return v.config().Customers.Subscribe(ctx, tx, f.Value("email"), words)
	})
	if p := problem.As(err); p != nil && len(p.Faults) > 0 {
		v.addFaults(f, p)
		return page.Personal(v.w, v.r, http.StatusUnprocessableEntity, newsletter(v.accountForm("Newsletter", f)))
	}
	if err != nil {
		return err
	}
	v.message(http.StatusOK, "Look into your mail", "A link is on its way to you. Nothing else is sent before you follow it.", false)
	return nil
}

func (v *visit) confirmNewsletterForm() error {
	token := v.r.URL.Query().Get("token")
	if token == "" {
		return problem.Missing("page")
	}
	return page.Personal(v.w, v.r, http.StatusOK, confirmNewsletter(v.accountForm("Newsletter", page.Form{Values: url.Values{"token": {token}}})))
}

func (v *visit) confirmNewsletter() error {
	f, err := v.form()
	if err != nil {
		return err
	}
	err = v.inStore(func(ctx context.Context, tx *postgres.Tx) error {
		return v.config().Customers.ConfirmSubscription(ctx, tx, f.Value("token"))
	})
	if problem.Is(err, "token_invalid") {
		v.message(http.StatusUnprocessableEntity, "This link does not work any more", "It was used, or is too old. You can ask for another.", false)
		return nil
	}
	if err != nil {
		return err
	}
	v.message(http.StatusOK, "Thank you", "You hear from us when there is something new.", false)
	return nil
}

// unsubscribeForm is where the link in a mail leads. What is behind the button is done at once
// by a POST of the mail program, too (RFC 8058).
func (v *visit) unsubscribeForm() error {
	if !v.unsubscribes() {
		return problem.Missing("page")
	}
	form := v.accountForm("Newsletter", page.Form{})
	return page.Personal(v.w, v.r, http.StatusOK, unsubscribe(form, v.prefix+v.r.URL.RequestURI()))
}

func (v *visit) unsubscribes() bool {
	return v.config().Links.Unsubscribes(v.r.Context(), v.r.PathValue("id"), v.r.URL.Query().Get("key"))
}

func (v *visit) unsubscribe() error {
	if !v.unsubscribes() {
		return problem.Missing("page")
	}
	err := v.inStore(func(ctx context.Context, tx *postgres.Tx) error {
		return v.config().Customers.Unsubscribe(ctx, tx, v.r.PathValue("id"))
	})
	if err != nil {
		return err
	}
	v.message(http.StatusOK, "Nothing more is sent to you", "We write to you about your orders alone.", false)
	return nil
}

func (v *visit) findOrderForm() error {
	return page.Personal(v.w, v.r, http.StatusOK, findOrder(v.accountForm("Find your order", page.Form{})))
}

// findOrder has the link to an order mailed again. It answers the same whether there is one.
func (v *visit) findOrder() error {
	f, err := v.form()
	if err != nil {
		return err
	}
	if number := orderNumber(f.Value("number")); number > 0 {
		err = v.inStore(func(ctx context.Context, tx *postgres.Tx) error {
			orders.RequestLink(ctx, tx, number, f.Value("email"))
			return nil
		})
	}
	if err != nil {
		return err
	}
	v.message(http.StatusOK, "Look into your mail", "If there is such an order, its link is on its way to the address that it was placed with.", false)
	return nil
}

// orderNumber is the number in what somebody copied from a mail, "#1001" or "1001"; 0 for none.
func orderNumber(text string) (number int64) {
	for _, r := range text {
		if r >= '0' && r <= '9' && number < 1e15 {
			number = number*10 + int64(r-'0')
		}
	}
	return number
}
