package storefront

import (
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stoacommerce/stoa/commerce/settings"
	"github.com/stoacommerce/stoa/commerce/themes"
	"github.com/stoacommerce/stoa/platform/httpserver"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/web/page"
)

// doorLife is for how long who was let in comes in again.
const doorLife = 14 * 24 * time.Hour

// always are the pages that a shop has though it is not open: what shoppers bought, payments
// that are under way, and what those may do who were sent a link.
func always(name string) bool {
	before, _, _ := strings.Cut(name, ".")
	switch before {
	case "order", "find-order", "withdraw", "contact", "unsubscribe", "stock-alert", "robots", "media", "door", "missing":
		return true
	}
	return name == "checkout.return" || name == "checkout.abandon" || name == "checkout.test" || name == "newsletter.confirm"
}

// lawful says whether a page is one that the law asks for, which everybody may read.
func (v *visit) lawful(name string) bool {
	return name == "page" && slices.ContainsFunc(v.decor.Legal, func(p themes.LegalPage) bool { return p.Handle == v.r.PathValue("handle") })
}

// enters says whether who asks may come in: with a preview's link, too.
func (v *visit) enters() bool {
	if !v.access.Closed() || v.preview != "" {
		return true
	}
	ref, _ := postgres.StoreFrom(v.r.Context())
	held, err := v.r.Cookie(doorCookie)
	return err == nil && v.config().Links.signed(ref, "door", v.access.Seed, held.Value)
}

// admitted notes that who follows a link that lets them in comes in from now on, and sends
// them to the address without it.
func (v *visit) admitted() bool {
	query := v.r.URL.Query()
	key := query.Get("enter")
	if key == "" || v.r.Method != http.MethodGet {
		return false
	}
	if ref, _ := postgres.StoreFrom(v.r.Context()); v.access.Closed() && v.config().Links.signed(ref, "door", v.access.Seed, key) {
		v.setCookie(doorCookie, key, doorLife)
	}
	query.Del("enter")
	path := v.r.URL.Path
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	v.see(path)
	return true
}

// outside is what those see who may not come in.
func (v *visit) outside(status int, fault string) error {
	httpserver.From(v.r.Context()).Operation = "page.outside"
	if status == http.StatusServiceUnavailable {
		v.w.Header().Set("Retry-After", "600")
	}
	form := formView{view: v.view("", ""), Form: page.Form{Faults: map[string]string{}}}
	form.Alone = true
	if fault != "" {
		form.Form.Fault("password", fault)
	}
	form.Title = form.T("Opening soon")
	if v.access.State == settings.ShopMaintenance {
		form.Title = form.T("We will be back in a moment")
	}
	return page.Personal(v.w, v.r, status, outside(form))
}

// closedDoor answers who may not come in.
func (v *visit) closedDoor() error {
	if v.access.State == settings.ShopMaintenance {
		return v.outside(http.StatusServiceUnavailable, "")
	}
	return v.outside(http.StatusForbidden, "")
}

// enter lets those in who know the password.
func (v *visit) enter() error {
	f, err := v.form()
	if err != nil {
		return err
	}
	given := v.config().Links.Code(strings.TrimSpace(f.Value("password")))
	switch {
	case !v.access.Closed():
	case v.access.State != settings.ShopPassword:
		return v.closedDoor()
	case subtle.ConstantTimeCompare([]byte(given), []byte(v.access.Password)) != 1:
		return v.outside(http.StatusUnprocessableEntity, v.view("", "").T("This is not the password."))
	default:
		ref, _ := postgres.StoreFrom(v.r.Context())
		v.setCookie(doorCookie, v.config().Links.sign(ref, "door", v.access.Seed), doorLife)
	}
	v.see("/")
	return nil
}
