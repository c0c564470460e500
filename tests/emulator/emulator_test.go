package emulator

import (
	"strings"
	"testing"
)

func TestChoose(t *testing.T) {
	for _, test := range []struct {
		name          string
		environ       []string
		endpoint      string
		skip, mistake string
	}{
		{name: "nothing set", skip: "make localstack-up"},
		{name: "emulator", environ: []string{"AWS_ENDPOINT_URL=http://127.0.0.1:4566"}, endpoint: "http://127.0.0.1:4566"},
		{name: "real account", environ: []string{"SUPERMAX_TEST_AWS=real"}},
		{name: "unknown flag", environ: []string{"SUPERMAX_TEST_AWS=yes"}, mistake: `SUPERMAX_TEST_AWS is "yes"`},
		{name: "both", environ: []string{"SUPERMAX_TEST_AWS=real", "AWS_ENDPOINT_URL=http://127.0.0.1:4566"}, mistake: "unset one"},
		{name: "real endpoint", environ: []string{"AWS_ENDPOINT_URL=https://dynamodb.us-east-1.amazonaws.com"}, mistake: "is a real account"},
		{name: "real endpoint, dotted and in capitals", environ: []string{"AWS_ENDPOINT_URL=https://S3.AmazonAWS.com."}, mistake: "is a real account"},
		{name: "real service endpoint", environ: []string{"AWS_ENDPOINT_URL=http://localhost:4566", "AWS_ENDPOINT_URL_S3=https://s3.amazonaws.com"},
			mistake: "AWS_ENDPOINT_URL_S3=https://s3.amazonaws.com is a real account"},
		{name: "a host that only looks like AWS", environ: []string{"AWS_ENDPOINT_URL=http://notamazonaws.com"}, endpoint: "http://notamazonaws.com"},
		{name: "no URL", environ: []string{"AWS_ENDPOINT_URL=localhost:4566"}, mistake: "no http:// or https:// URL"},
	} {
		t.Run(test.name, func(t *testing.T) {
			endpoint, skip, err := choose(test.environ)
			if endpoint != test.endpoint {
				t.Errorf("endpoint %q, want %q", endpoint, test.endpoint)
			}
			if (skip == "") != (test.skip == "") || !strings.Contains(skip, test.skip) {
				t.Errorf("skip %q, want %q", skip, test.skip)
			}
			message := ""
			if err != nil {
				message = err.Error()
			}
			if (message == "") != (test.mistake == "") || !strings.Contains(message, test.mistake) {
				t.Errorf("error %q, want %q", message, test.mistake)
			}
		})
	}
}

func TestConfigOfTheEmulator(t *testing.T) {
	t.Setenv("SUPERMAX_TEST_AWS", "")
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_REGION", "eu-west-1")
	t.Setenv("AWS_PROFILE", "")
	loaded := Config(t)
	if loaded.BaseEndpoint == nil || *loaded.BaseEndpoint != "http://127.0.0.1:1" || loaded.Region != "eu-west-1" {
		t.Errorf("endpoint %v, region %q", loaded.BaseEndpoint, loaded.Region)
	}
	keys, err := loaded.Credentials.Retrieve(t.Context())
	if err != nil || keys.AccessKeyID != "test" {
		t.Errorf("credentials %+v, %v; want the emulator's", keys, err)
	}
	if !S3(loaded).Options().UsePathStyle {
		t.Error("the emulator's buckets are not addressed by path")
	}
}
