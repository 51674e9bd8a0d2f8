package accounts_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/passwords"
	"github.com/stoacommerce/stoa/platform/redis/redistest"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// BenchmarkSignUp tells how long a sign-up takes, its password's hash of the usual cost
// included, while schemas are kept ready.
func BenchmarkSignUp(b *testing.B) {
	h := openOn(b, testdb.Open(b), redistest.Client(b), passwords.DefaultCost)
	keeper := &stores.Keeper{Stores: h.stores, Ready: 4, Log: quiet}
	var took []time.Duration
	for range b.N {
		keeper.Fill(b.Context())
		in := newcomer()
		began := time.Now()
		if _, err := h.SignUp(from(b), in, nil); err != nil {
			b.Fatal(err)
		}
		if _, err := h.stores.ByAddress(b.Context(), in.Store.Address); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Milliseconds()), "ms-p50")
	b.ReportMetric(float64(took[len(took)*95/100].Milliseconds()), "ms-p95")
}
