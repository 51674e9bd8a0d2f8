package openapi_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/problem"
)

// A request of several steps holds its key for as long as it takes, beyond any one lease,
// and gives it back when it is refused.
func TestAClaimIsHeldWhileItsRequestIsUnderWay(t *testing.T) {
	t.Parallel()
	began, end := make(chan struct{}), make(chan struct{})
	begin := sync.OnceFunc(func() { close(began) })
	var api *apitest.API
	api = apitest.New(t, map[string]openapi.Handler{"createRefund": func(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
		claim, _, err := openapi.Claiming(ctx, req, api.Platform.DB)
		if err != nil {
			return nil, err
		}
		begin()
		<-end
		if err := claim.Release(ctx); err != nil {
			return nil, err
		}
		return nil, problem.Missing("order")
	}})
	key := api.Staff(api.Platform.Store(t))
	path, name := "/v1/orders/"+ids.New("ord")+"/refunds", "Idempotency-Key: "+ids.New("key")
	ask := func() *apitest.Answer { return api.Do(t, key, "POST", path, map[string]any{}, name) }

	var first sync.WaitGroup
	first.Go(func() {
		if got := ask(); got.Status != 404 {
			t.Errorf("the first is answered %d: %s", got.Status, got.Body)
		}
	})
	<-began
	for held := time.Now(); time.Since(held) < 8*time.Second; time.Sleep(500 * time.Millisecond) {
		ask().WantProblem(409, "idempotency_in_progress")
	}
	close(end)
	first.Wait()
	ask().WantProblem(404, "not_found")
}
