package observability

import "github.com/prometheus/client_golang/prometheus"

// SignUpOutcome is how a sign-up ended.
type SignUpOutcome int

// The ends of a sign-up.
const (
	SignUpCreated    SignUpOutcome = iota // a store was born
	SignUpKnownEmail                      // the e-mail has an account already
	SignUpRefused                         // a rule refused it: address, password, guesses
	SignUpFailed                          // the platform could not: a fault of ours
)

var signUpOutcomes = []string{"created", "known_email", "refused", "failed"}

// SignInOutcome is how a sign-in ended.
type SignInOutcome int

// The ends of a sign-in.
const (
	SignInSucceeded   SignInOutcome = iota
	SignInRefused                   // wrong password or code, or no such account
	SignInLimited                   // too many attempts
	SignInUnavailable               // sessions cannot be kept just now
)

var signInOutcomes = []string{"succeeded", "refused", "limited", "unavailable"}

// PaymentOutcome is how an attempt to pay ended.
type PaymentOutcome int

// The ends of an attempt to pay.
const (
	PaymentApproved PaymentOutcome = iota
	PaymentDeclined                // the provider said no
	PaymentFailed                  // the provider did not answer, or not sensibly
)

var paymentOutcomes = []string{"approved", "declined", "failed"}

// BusinessMetrics counts what the platform is for. Sandboxes do not count, which is for the
// caller to know. The truth about money is in the orders; these figures are for graphs and
// alerts.
type BusinessMetrics struct {
	signUps, signIns, payments           []prometheus.Counter
	checkoutsStarted, checkoutsCompleted prometheus.Counter
	currencies                           *observers[currencyCounters]
}

type currencyCounters struct{ orders, revenue, refunds prometheus.Counter }

// otherCurrency gathers what is no currency's code, so that a wrong value cannot make
// series without end.
const otherCurrency = "other"

func newBusinessMetrics(r prometheus.Registerer, currencies []string) *BusinessMetrics {
	orders := counters(r, "stoa_orders_total", "Orders placed, by currency.", "currency")
	revenue := counters(r, "stoa_revenue_minor_units_total",
		"Totals of the orders placed, in minor units of their currency (cents of EUR, whole JPY).", "currency")
	refunds := counters(r, "stoa_refunds_minor_units_total",
		"Money given back, in minor units of its currency (cents of EUR, whole JPY).", "currency")
	m := &BusinessMetrics{
		signUps: zeroed(counters(r, "stoa_signups_total",
			"Sign-ups, by outcome.", "outcome"), signUpOutcomes),
		signIns: zeroed(counters(r, "stoa_signins_total",
			"Sign-ins of staff, by outcome.", "outcome"), signInOutcomes),
		payments: zeroed(counters(r, "stoa_payments_total",
			"Attempts to pay, by outcome.", "outcome"), paymentOutcomes),
		checkoutsStarted: counter(r, "stoa_checkouts_started_total",
			"Checkouts begun: carts that an e-mail address was given for."),
		checkoutsCompleted: counter(r, "stoa_checkouts_completed_total",
			"Checkouts that became an order."),
	}
	m.currencies = newObservers(func(currency string) *currencyCounters {
		return &currencyCounters{
			orders:  orders.WithLabelValues(currency),
			revenue: revenue.WithLabelValues(currency),
			refunds: refunds.WithLabelValues(currency),
		}
	})
	for _, currency := range currencies {
		m.currency(currency)
	}
	return m
}

// SignUp counts the end of a sign-up.
func (m *BusinessMetrics) SignUp(outcome SignUpOutcome) { m.signUps[outcome].Inc() }

// SignIn counts the end of a sign-in.
func (m *BusinessMetrics) SignIn(outcome SignInOutcome) { m.signIns[outcome].Inc() }

// Payment counts the end of an attempt to pay.
func (m *BusinessMetrics) Payment(outcome PaymentOutcome) { m.payments[outcome].Inc() }

// CheckoutStarted counts a cart whose checkout was begun, once a cart.
func (m *BusinessMetrics) CheckoutStarted() { m.checkoutsStarted.Inc() }

// CheckoutCompleted counts a checkout that became an order. Call Order beside it.
func (m *BusinessMetrics) CheckoutCompleted() { m.checkoutsCompleted.Inc() }

// Order counts an order and its total, in minor units of its currency. Call it after
// the transaction that made the order has committed.
func (m *BusinessMetrics) Order(currency string, minorUnits int64) {
	c := m.currency(currency)
	c.orders.Inc()
	c.revenue.Add(float64(max(minorUnits, 0)))
}

// Refund counts money given back, in minor units of its currency.
func (m *BusinessMetrics) Refund(currency string, minorUnits int64) {
	m.currency(currency).refunds.Add(float64(max(minorUnits, 0)))
}

func (m *BusinessMetrics) currency(code string) *currencyCounters {
	if !currencyCode(code) {
		code = otherCurrency
	}
	return m.currencies.get(code)
}

// currencyCode says whether code has the form of ISO 4217: three capital letters.
func currencyCode(code string) bool {
	if len(code) != 3 {
		return false
	}
	for i := range len(code) {
		if code[i] < 'A' || code[i] > 'Z' {
			return false
		}
	}
	return true
}
