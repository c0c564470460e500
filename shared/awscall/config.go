// Package awscall joins the project to AWS: how its programs are configured, and how a
// slot calls the functions of a study. Only adapters import it.
package awscall

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

const (
	// headerTimeout is how long a request that was sent may stay without the head of an
	// answer. The SDK has no limit of its own; a function of ours answers within 30 s.
	headerTimeout = 40 * time.Second
	// attempts is how often a request is sent before its error counts: with one in five
	// failing, one in ten million is given up.
	attempts = 10
	// firstPause is the longest wait before the second attempt. It doubles with each
	// further one up to longestPause; the SDK would begin with a second.
	firstPause   = 50 * time.Millisecond
	longestPause = 10 * time.Second
)

// Config loads the configuration that the machine gives its programs: region, credentials
// and endpoint from the environment, the shared files or the instance. AWS_ENDPOINT_URL,
// or AWS_ENDPOINT_URL_<SERVICE>, names another endpoint than AWS's own. Requests that fail
// on the way, are throttled or meet a fault of the service are repeated.
func Config(ctx context.Context) (aws.Config, error) {
	cfg, err := config.LoadDefaultConfig(ctx,
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.ResponseHeaderTimeout = headerTimeout
		})),
		config.WithRetryer(func() aws.Retryer { return retryer() }),
	)
	if err != nil {
		return aws.Config{}, fmt.Errorf("load the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return aws.Config{}, errors.New("load the AWS configuration: no region is set; set AWS_REGION, for example to us-east-1")
	}
	return cfg, nil
}

// retryer repeats more often than the SDK's default, and without its quota: the quota is
// shared by all calls of a client, so that one part of a service in trouble would end the
// retries of every other.
func retryer(also ...retry.IsErrorRetryable) aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) {
			longest := min(firstPause<<min(max(attempt-1, 0), 16), longestPause)
			return longest/2 + rand.N(longest/2), nil // clients that failed together part
		})
		o.RateLimiter = ratelimit.None
		o.Retryables = append(o.Retryables[:len(o.Retryables):len(o.Retryables)], also...)
	})
}

// S3 returns a client for buckets. It addresses them by path on an endpoint that is not
// AWS's own, where no name server knows bucket.host.
func S3(cfg aws.Config) *s3.Client {
	return s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.UsePathStyle = o.BaseEndpoint != nil && !ofAWS(*o.BaseEndpoint)
		// Objects of several parts have no checksum of the whole; the SDK would say so each time.
		o.DisableLogOutputChecksumValidationSkipped = true
		// Every request for an object may be sent twice, so one whose answer breaks off is.
		o.Retryer = retryer(retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
			var broken *smithy.DeserializationError
			if errors.As(err, &broken) {
				return aws.TrueTernary
			}
			return aws.UnknownTernary
		}))
	})
}

// ofAWS reports whether an endpoint is AWS's own.
func ofAWS(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	host := "." + strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	for _, domain := range []string{".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".api.aws"} {
		if strings.HasSuffix(host, domain) {
			return true
		}
	}
	return false
}
