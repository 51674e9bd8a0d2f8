package observability

import "github.com/prometheus/client_golang/prometheus"

// CacheMetrics counts hits and misses by cache.
type CacheMetrics struct {
	requests, dropped *prometheus.CounterVec
	caches            *observers[CacheObserver]
}

func newCacheMetrics(r prometheus.Registerer) *CacheMetrics {
	m := &CacheMetrics{
		requests: counters(r, "stoa_cache_requests_total",
			"Look-ups in a cache, by whether they found something.", "cache", "result"),
		dropped: counters(r, "stoa_cache_invalidations_total",
			"Invalidations of a cache's entries because what they show has changed.", "cache"),
	}
	m.caches = newObservers(func(cache string) *CacheObserver {
		results := zeroed(m.requests, []string{"hit", "miss"}, cache)
		return &CacheObserver{hit: results[0], miss: results[1], dropped: m.dropped.WithLabelValues(cache)}
	})
	return m
}

// Cache gives the observer of one cache, such as "keys" or "pages".
func (m *CacheMetrics) Cache(name string) *CacheObserver { return m.caches.get(name) }

// CacheObserver counts the look-ups in one cache.
type CacheObserver struct{ hit, miss, dropped prometheus.Counter }

// Hit counts a look-up that found something.
func (o *CacheObserver) Hit() { o.hit.Inc() }

// Miss counts a look-up that found nothing.
func (o *CacheObserver) Miss() { o.miss.Inc() }

// Invalidated counts an invalidation.
func (o *CacheObserver) Invalidated() { o.dropped.Inc() }
