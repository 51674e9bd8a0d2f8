package mail

import (
	"strings"
	"time"

	"github.com/stoacommerce/stoa/platform/money"
)

// Data is what a mail of one kind tells. Each kind has one struct, below, which can also
// travel in a job as JSON: see Decode. Its fields are the variables of the kind's templates
// by the names that JSON knows them by, and their tags say more of them:
//
//	doc    what it is; of flags with %s in the flag's place
//	as     greet, mask, lines or none: see teller.text
//	flags  the texts that it may be, each of which is a flag of its own
//	must   "true" where no template may leave it out
type Data interface{ Kind() Kind }

// Minutes, Hours and Days are for how long something is valid, written with their unit.
type (
	Minutes int
	Hours   int
	Days    int
)

// AccountVerifyEmail asks a new account to confirm its address.
type AccountVerifyEmail struct {
	URL      string `json:"url" doc:"Where the address is confirmed." must:"true"`
	ValidFor Hours  `json:"valid_for" doc:"For how long the link is valid."`
}

// AccountKnownSignup tells the owner of an account that somebody tried to sign up with
// its address.
type AccountKnownSignup struct {
	SignInURL string    `json:"sign_in_url" doc:"Where one signs in."`
	ResetURL  string    `json:"reset_url" doc:"Where a new password is asked for."`
	At        time.Time `json:"at" doc:"When it happened."`
	IP        string    `json:"ip" doc:"The network address that it came from."`
}

// PasswordReset brings the link that sets a new password.
type PasswordReset struct {
	URL      string  `json:"url" doc:"Where a new password is set." must:"true"`
	ValidFor Minutes `json:"valid_for" doc:"For how long the link is valid."`
	IP       string  `json:"ip" doc:"The network address of who asked for it."`
}

// PasswordChanged tells that the password was changed.
type PasswordChanged struct {
	ResetURL string    `json:"reset_url" doc:"Where a new password is asked for." must:"true"`
	At       time.Time `json:"at" doc:"When it happened."`
	IP       string    `json:"ip" doc:"The network address that it came from."`
}

// EmailChanged tells the former address that the account has another now.
type EmailChanged struct {
	NewEmail string    `json:"new_email" doc:"The new address, with its middle left out." as:"mask"`
	At       time.Time `json:"at" doc:"When it happened."`
	IP       string    `json:"ip" doc:"The network address that it came from."`
}

// EmailChangeConfirm asks the new address to confirm the change.
type EmailChangeConfirm struct {
	URL      string `json:"url" doc:"Where the new address is confirmed." must:"true"`
	ValidFor Hours  `json:"valid_for" doc:"For how long the link is valid."`
}

// EmailChangeRequested tells the present address that another one was asked for.
type EmailChangeRequested struct {
	NewEmail string    `json:"new_email" doc:"The address that was asked for, with its middle left out." as:"mask"`
	ResetURL string    `json:"reset_url" doc:"Where a new password is asked for." must:"true"`
	At       time.Time `json:"at" doc:"When it happened."`
	IP       string    `json:"ip" doc:"The network address that it came from."`
}

// TOTPChange is what happened to an account's second factor.
type TOTPChange string

// What can happen to a second factor.
const (
	TOTPEnabled      TOTPChange = "enabled"
	TOTPDisabled     TOTPChange = "disabled"
	TOTPCodesRenewed TOTPChange = "codes_renewed"
	TOTPCodeUsed     TOTPChange = "code_used"
)

// TOTPChanged tells of a change of the second factor.
type TOTPChanged struct {
	Change   TOTPChange `json:"change" doc:"What happened to the second factor: %s." flags:"enabled disabled codes_renewed code_used"`
	ResetURL string     `json:"reset_url" doc:"Where a new password is asked for." must:"true"`
	At       time.Time  `json:"at" doc:"When it happened."`
	IP       string     `json:"ip" doc:"The network address that it came from."`
}

// PasskeyChanged tells of a passkey that was added, or removed.
type PasskeyChanged struct {
	Passkey  string    `json:"passkey" doc:"What it is called."`
	Removed  bool      `json:"removed" doc:"Whether it was removed, and not added."`
	ResetURL string    `json:"reset_url" doc:"Where a new password is asked for." must:"true"`
	At       time.Time `json:"at" doc:"When it happened."`
	IP       string    `json:"ip" doc:"The network address that it came from."`
}

// StaffInvitation invites a person to work in a store.
type StaffInvitation struct {
	Inviter  string `json:"inviter" doc:"Who invites: a name or an address."`
	Role     string `json:"role" doc:"The role's name."`
	URL      string `json:"url" doc:"Where the invitation is accepted." must:"true"`
	ValidFor Days   `json:"valid_for" doc:"For how long the invitation is valid."`
}

// CustomerVerifyEmail asks a shopper to confirm the address.
type CustomerVerifyEmail struct {
	Name     string `json:"name" doc:"Whom it greets." as:"greet"`
	URL      string `json:"url" doc:"Where the address is confirmed." must:"true"`
	ValidFor Hours  `json:"valid_for" doc:"For how long the link is valid."`
}

// CustomerKnownSignup tells a shopper that somebody tried to register with the address of
// the account that they have.
type CustomerKnownSignup struct {
	SignInURL string    `json:"sign_in_url" doc:"Where one signs in."`
	At        time.Time `json:"at" doc:"When it happened."`
	IP        string    `json:"ip" doc:"The network address that it came from."`
}

// NewsletterConfirm asks somebody to confirm that they want to be written to about new things.
type NewsletterConfirm struct {
	URL      string `json:"url" doc:"Where it is confirmed that news are wanted." must:"true"`
	ValidFor Hours  `json:"valid_for" doc:"For how long the link is valid."`
}

// Line is a line of an order.
type Line struct {
	Title    string      `json:"title" doc:"The product."`
	Variant  string      `json:"variant" doc:"The variant, as in “Large / Blue”; empty for the only one."`
	Quantity int         `json:"quantity" doc:"How many."`
	Total    money.Money `json:"total" doc:"What all of them cost."`
}

// Item is how much of a line of an order something is about.
type Item struct {
	Title    string `json:"title" doc:"The product."`
	Variant  string `json:"variant" doc:"The variant, as in “Large / Blue”; empty for the only one."`
	Quantity int    `json:"quantity" doc:"How many."`
}

// CartAbandoned reminds a shopper of what they left in a cart.
type CartAbandoned struct {
	Lines       []Line `json:"lines" doc:"What is in the cart."`
	URL         string `json:"url" doc:"The cart." must:"true"`
	Unsubscribe string `json:"unsubscribe" doc:"Where no such mails are asked for." must:"true"`
}

// DraftOrder brings a shopper the link by which they pay what they agreed on with the shop.
type DraftOrder struct {
	Message  string      `json:"message" doc:"What the shop has to say." as:"lines"`
	Lines    []Line      `json:"lines" doc:"What is ordered."`
	Discount money.Money `json:"discount" doc:"What is taken off; empty for nothing." as:"none"`
	Total    money.Money `json:"total" doc:"What it comes to."`
	Open     bool        `json:"open" doc:"Whether the total is not the last word: sending, or tax, is still to be known."`
	URL      string      `json:"url" doc:"Where it is paid." must:"true"`
	Until    time.Time   `json:"until" doc:"Until when it can be paid."`
}

// Address is where an order goes.
type Address struct {
	Name       string `json:"name"`
	Company    string `json:"company"`
	Line1      string `json:"line1"`
	Line2      string `json:"line2"`
	PostalCode string `json:"postal_code"`
	City       string `json:"city"`
	Region     string `json:"region"`
	Country    string `json:"country"` // its name, or its code
}

// OrderConfirmation confirms an order.
type OrderConfirmation struct {
	Name            string      `json:"name" doc:"Whom it greets." as:"greet"`
	Number          string      `json:"number" doc:"The order's number."`
	PlacedAt        time.Time   `json:"placed_at" doc:"When it was placed."`
	URL             string      `json:"url" doc:"The order's page." must:"true"`
	Lines           []Line      `json:"lines" doc:"What was ordered."`
	Subtotal        money.Money `json:"subtotal" doc:"What the lines come to."`
	Discount        money.Money `json:"discount" doc:"What is taken off; empty for nothing." as:"none"`
	Shipping        money.Money `json:"shipping" doc:"What sending costs."`
	ShippingMethod  string      `json:"shipping_method" doc:"How it is sent."`
	Tax             money.Money `json:"tax" doc:"The tax; empty for none." as:"none"`
	TaxIncluded     bool        `json:"tax_included" doc:"Whether the tax is within the prices."`
	Total           money.Money `json:"total" doc:"What the order comes to."`
	Credit          money.Money `json:"credit" doc:"What gift cards and store credit paid of it; empty for nothing." as:"none"`
	Due             money.Money `json:"due" doc:"What those left to be paid otherwise."`
	ShippingAddress Address     `json:"shipping_address" doc:"Where it is sent."`
	BillingAddress  Address     `json:"billing_address" doc:"Whom it is billed to."`
	Instructions    string      `json:"instructions" doc:"How what is due is paid; empty where there is nothing to do." as:"lines"`
	Test            bool        `json:"test" doc:"Whether it is an order of the sandbox."`
}

// OrderPayment asks to pay what is left to pay of an order.
type OrderPayment struct {
	Name        string      `json:"name" doc:"Whom it greets." as:"greet"`
	Number      string      `json:"number" doc:"The order's number."`
	URL         string      `json:"url" doc:"Where it can be paid." must:"true"`
	Outstanding money.Money `json:"outstanding" doc:"What is left to pay."`
}

// OrderRefunded tells that money was given back.
type OrderRefunded struct {
	Name   string      `json:"name" doc:"Whom it greets." as:"greet"`
	Number string      `json:"number" doc:"The order's number."`
	URL    string      `json:"url" doc:"The order's page."`
	Amount money.Money `json:"amount" doc:"What was given back."`
	Full   bool        `json:"full" doc:"Whether all of the order was."`
	Reason string      `json:"reason" doc:"Why; may be empty."`
}

// OrderReturn tells how far a return has come.
type OrderReturn struct {
	Name    string `json:"name" doc:"Whom it greets." as:"greet"`
	Number  string `json:"number" doc:"The order's number."`
	URL     string `json:"url" doc:"The order's page."`
	State   string `json:"state" doc:"Whether the return is %s." flags:"requested approved declined received closed cancelled"`
	Lines   []Item `json:"lines" doc:"What comes back."`
	Message string `json:"message" doc:"What the shop has to say of it; may be empty." as:"lines"`
}

// OrderShipped tells that an order, or a part of it, is on its way.
type OrderShipped struct {
	Name            string  `json:"name" doc:"Whom it greets." as:"greet"`
	Number          string  `json:"number" doc:"The order's number."`
	URL             string  `json:"url" doc:"The order's page."`
	Lines           []Item  `json:"lines" doc:"What is on its way."`
	Carrier         string  `json:"carrier" doc:"Who brings it; may be empty."`
	TrackingNumber  string  `json:"tracking_number" doc:"The parcel's number; may be empty."`
	TrackingURL     string  `json:"tracking_url" doc:"Where the parcel is followed; may be empty."`
	ShippingAddress Address `json:"shipping_address" doc:"Where it is sent."`
}

// WebhookDisabled tells that an endpoint failed for so long that it was turned off.
type WebhookDisabled struct {
	Endpoint    string    `json:"endpoint" doc:"The endpoint's URL."`
	Since       time.Time `json:"since" doc:"Since when it has failed."`
	LastFailure string    `json:"last_failure" doc:"How it failed last."`
	Gone        bool      `json:"gone" doc:"Whether it answered 410, by which it asks to be left alone."`
	URL         string    `json:"url" doc:"How it is turned on again."`
}

// PaymentFailed tells a shopper, who is not there any more, that nothing could be taken.
type PaymentFailed struct {
	Number string      `json:"number" doc:"The order's number; empty where there is none yet."`
	Lines  []Line      `json:"lines" doc:"What is in the cart, where there is no order yet."`
	Amount money.Money `json:"amount" doc:"What is to be paid."`
	URL    string      `json:"url" doc:"Where it can be paid." must:"true"`
}

// StockLow tells the staff what has become scarce.
type StockLow struct {
	Items []StockItem `json:"items" doc:"What has become scarce."`
	More  int         `json:"more" doc:"How many there are besides; 0 for none."`
}

// StockItem is a variant and how much there is of it.
type StockItem struct {
	Title  string `json:"title" doc:"The product and its variant."`
	SKU    string `json:"sku" doc:"Its SKU; may be empty."`
	OnHand int64  `json:"on_hand" doc:"How many are left."`
}

// KeyExpiring tells that a key will soon stop working.
type KeyExpiring struct {
	KeyName   string    `json:"key_name" doc:"The key's name."`
	Shown     string    `json:"shown" doc:"Its beginning and its end."`
	Test      bool      `json:"test" doc:"Whether it is a key of the sandbox."`
	ExpiresAt time.Time `json:"expires_at" doc:"Until when it works."`
	URL       string    `json:"url" doc:"How keys are rotated."`
}

// DomainFailing tells that a domain of the shop's leads elsewhere.
type DomainFailing struct {
	Domain string    `json:"domain" doc:"The domain."`
	Until  time.Time `json:"until" doc:"Until when the shop is still shown at it."`
	Lost   bool      `json:"lost" doc:"Whether it is not shown there any more."`
	URL    string    `json:"url" doc:"Where its records are told."`
}

// StockAlertConfirm asks whoever wants to be told when a thing is back whether it was them.
type StockAlertConfirm struct {
	Title string `json:"title" doc:"The product and its variant."`
	URL   string `json:"url" doc:"Where it is confirmed." must:"true"`
}

// BackInStock tells that a thing is back, once.
type BackInStock struct {
	Title string `json:"title" doc:"The product and its variant."`
	URL   string `json:"url" doc:"The product's page." must:"true"`
}

// ContactMessage brings the shop what somebody wrote in its form.
type ContactMessage struct {
	Name  string `json:"name" doc:"Who wrote."`
	Email string `json:"email" doc:"Where they are answered." must:"true"`
	Order string `json:"order" doc:"The number of the order that it is about, as they wrote it; may be empty."`
	Text  string `json:"text" doc:"What they wrote." as:"lines" must:"true"`
}

// WithdrawalReceived confirms to somebody that they withdrew from a contract, from what and when.
type WithdrawalReceived struct {
	Name  string    `json:"name" doc:"Who withdraws."`
	Order string    `json:"order" doc:"The number of the order, as they wrote it." must:"true"`
	Text  string    `json:"text" doc:"Of what they withdraw, as they wrote it; empty for all of it." as:"lines"`
	At    time.Time `json:"at" doc:"When the declaration came." must:"true"`
}

// WithdrawalDeclared tells the shop that somebody withdrew from a contract.
type WithdrawalDeclared struct {
	Name  string    `json:"name" doc:"Who withdraws."`
	Email string    `json:"email" doc:"Where they are answered."`
	Order string    `json:"order" doc:"The number of the order, as they wrote it." must:"true"`
	Text  string    `json:"text" doc:"Of what they withdraw, as they wrote it; empty for all of it." as:"lines"`
	At    time.Time `json:"at" doc:"When the declaration came."`
	Found bool      `json:"found" doc:"Whether there is an order of this number and address."`
}

// lines is an address as it stands on a parcel.
func (a Address) lines() []string {
	place := strings.TrimSpace(a.PostalCode + " " + a.City)
	if a.Region != "" {
		place = strings.TrimPrefix(place+", "+a.Region, ", ")
	}
	var out []string
	for _, l := range []string{a.Name, a.Company, a.Line1, a.Line2, place, a.Country} {
		if l = line(l); l != "" {
			out = append(out, l)
		}
	}
	return out
}
