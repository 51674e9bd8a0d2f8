package storefront

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/stoacommerce/stoa/commerce/checkout"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/web/page"
)

// chosen is how a shopper wants to pay: "provider:token" or, of a test payment, what is
// to happen; nothing, where nothing is left to pay. Who comes back from the provider's page
// comes to the path back.
func (v *visit) chosen(f page.Form, back string) payments.Chosen {
	if f.Value("token") == "" {
		return payments.Chosen{}
	}
	provider, token, found := strings.Cut(f.Value("token"), ":")
	if !found {
		provider, token = payments.TestName, provider
	}
	return payments.Chosen{Provider: provider, Token: token, ReturnURL: v.base() + v.prefix + back}
}

// paid shows what came of an attempt to pay. What was declined is said on the page that it
// leads back to.
func (v *visit) paid(at checkout.Progress, err error) error {
	refused := problem.As(err)
	switch {
	case err == nil && at.OrderID != "":
		v.placed(at.OrderID)
	case err == nil && at.Step != nil:
		return v.leave(at, "/checkout/abandon")
	case err == nil:
		return v.waiting("/checkout")
	case refused == nil:
		return err
	case refused.Code == "completion_in_progress", refused.Code == "payment_pending":
		return v.waiting("/checkout")
	case refused.Code == "out_of_stock", refused.Code == "not_found":
		to := "/cart"
		if _, draft := v.draftRef(); draft {
			to = "/checkout" // where it is told
		}
		v.see(to)
	case refused.Code == "cart_completed", checkoutNotice(refused.Code) == "":
		v.see("/checkout")
	default:
		v.see("/checkout?" + url.Values{"problem": {refused.Code}}.Encode() + "#step")
	}
	return nil
}

// waiting is for a shopper whose payment is under way: the page asks again by itself.
func (v *visit) waiting(at string) error {
	v.w.Header().Set("Refresh", "3; url="+v.prefix+at)
	view := v.view("", "")
	view.Alone, view.Title = true, view.T("Your payment is under way")
	return page.Personal(v.w, v.r, http.StatusOK, message(view, view.Title, view.T("This takes a moment. You will see your order here as soon as it is done; nothing is charged twice."), false))
}

// leave leads to the provider's page. A form's answer may lead nowhere else by itself, so
// it is a page that goes there; who comes back without having paid finds it again.
func (v *visit) leave(at checkout.Progress, abandon string) error {
	if v.r.Method == http.MethodPost {
		v.w.Header().Set("Refresh", "0; url="+at.Step.URL)
	}
	view := v.view("", "")
	view.Alone, view.Title = true, view.T("Your payment waits for you")
	return page.Personal(v.w, v.r, http.StatusOK, paymentWaits(view, at.Step.URL, abandon))
}

// comeBack is where shoppers come to from the provider's page.
func (v *visit) comeBack() error {
	ref, held := v.cartRef()
	if !held {
		v.see("/cart")
		return nil
	}
	return v.paid(v.config().Checkout.Check(v.r.Context(), ref, nil))
}

// abandon gives up a payment that waits for the shopper.
func (v *visit) abandon() error {
	if _, err := v.form(); err != nil {
		return err
	}
	ref, held := v.cartRef()
	if !held {
		v.see("/cart")
		return nil
	}
	err := v.config().Checkout.Abandon(v.r.Context(), ref)
	if refused := problem.As(err); err != nil && (refused == nil || refused.Kind != problem.Conflict) {
		return err
	}
	v.see("/checkout") // where it is told what came of it
	return nil
}

// testStep is the page of the test provider, at which a shopper takes the second step.
func (v *visit) testStep() error {
	id := v.r.PathValue("payment")
	if !ids.Valid("pay", id) || !terms(v.store).Test() {
		return problem.Missing("payment")
	}
	view := v.view("", "")
	view.Alone, view.Title = true, view.T("Test payment")
	return page.Personal(v.w, v.r, http.StatusOK, testStepPage(view, id))
}

func (v *visit) takeTestStep() error {
	f, err := v.form()
	if err != nil {
		return err
	}
	id := v.r.PathValue("payment")
	if !ids.Valid("pay", id) || !terms(v.store).Test() {
		return problem.Missing("payment")
	}
	back, err := v.config().Checkout.TakeTestStep(v.r.Context(), id, f.Value("approve") == "yes")
	if err != nil {
		return err
	}
	if back == "" || strings.HasPrefix(back, v.base()+"/") {
		path := strings.TrimPrefix(back, v.base())
		if path == "" {
			path = v.prefix + "/checkout/return"
		}
		page.SeeOther(v.w, path)
		return nil
	}
	v.w.Header().Set("Refresh", "0; url="+back)
	view := v.view("", "")
	view.Alone, view.Title = true, view.T("Test payment")
	return page.Personal(v.w, v.r, http.StatusOK, message(view, view.Title, view.T("You are taken back to the shop."), false))
}
