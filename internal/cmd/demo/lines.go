// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// firstLine is when the demo's log begins; it is the same log on every run.
var firstLine = time.Date(2026, time.March, 14, 9, 26, 53, 0, time.UTC)

// logLines returns n different lines of a syslog file of several hosts,
// as rsyslog writes them: time, host, program[pid]: message.
func logLines(n int) []string {
	rnd := rand.New(rand.NewPCG(2026, 3))
	lines := make([]string, n)
	now := firstLine
	for i := range lines {
		now = now.Add(time.Duration(1+rnd.IntN(40_000)) * time.Microsecond)
		host, program, message := logLine(rnd)
		lines[i] = fmt.Sprintf("%s %s %s[%d]: %s",
			now.Format("2006-01-02T15:04:05.000000Z"), host, program, 300+rnd.IntN(30_000), message)
	}
	return lines
}

func logLine(rnd *rand.Rand) (host, program, message string) {
	switch p := rnd.IntN(100); {
	case p < 60:
		host = fmt.Sprintf("web-%02d", 1+rnd.IntN(8))
		message = fmt.Sprintf(`%s - - "%s %s HTTP/1.1" %d %d "-" "%s" %.3f`,
			address(rnd), pick(rnd, "GET", "GET", "GET", "POST", "HEAD"), path(rnd),
			pick(rnd, 200, 200, 200, 200, 200, 200, 200, 204, 206, 301, 302, 304, 304, 400, 403, 404, 404, 499, 500, 502),
			rnd.IntN(200_000), pick(rnd, agents...), rnd.ExpFloat64()/20)
		return host, "nginx", message
	case p < 80:
		host = fmt.Sprintf("app-%02d", 1+rnd.IntN(6))
		message = fmt.Sprintf(`level=%s msg="%s" order=%d customer="%s" total=%.2f took=%s`,
			pick(rnd, "info", "info", "info", "warn", "error"),
			pick(rnd, "order placed", "order paid", "payment declined", "stock reserved", `coupon \"SPRING\" refused`),
			80_000+rnd.IntN(9_000), pick(rnd, customers...), rnd.Float64()*400,
			time.Duration(rnd.IntN(900_000))*time.Microsecond)
		return host, "shop", message
	default:
		host = pick(rnd, "bastion-01", "bastion-02", "db-01", "db-02")
		user := pick(rnd, "deploy", "ansible", "root", "admin", "oracle", "git")
		port := 1024 + rnd.IntN(60_000)
		switch rnd.IntN(3) {
		case 0:
			message = fmt.Sprintf("Accepted publickey for %s from %s port %d ssh2: ED25519 SHA256:%s",
				user, address(rnd), port, token(rnd, 43))
		case 1:
			message = fmt.Sprintf("Failed password for invalid user %s from %s port %d ssh2", user, address(rnd), port)
		default:
			message = fmt.Sprintf("Connection closed by authenticating user %s %s port %d [preauth]", user, address(rnd), port)
		}
		return host, "sshd", message
	}
}

var (
	agents = []string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:148.0) Gecko/20100101 Firefox/148.0",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 19_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
		"curl/8.12.1",
		"kube-probe/1.34",
	}
	customers = []string{"Zoë Brontë", "Łukasz Żak", "山田 花子", "O'Neill & Sons", `C:\shop\guest`, "Ana 🛒 Lima"}
)

func pick[T any](rnd *rand.Rand, from ...T) T { return from[rnd.IntN(len(from))] }

// address is one of the networks set aside for documentation (RFC 5737, RFC 3849).
func address(rnd *rand.Rand) string {
	switch rnd.IntN(4) {
	case 0:
		return fmt.Sprintf("2001:db8::%x", rnd.IntN(1<<16))
	case 1:
		return fmt.Sprintf("198.51.100.%d", rnd.IntN(256))
	default:
		return fmt.Sprintf("203.0.113.%d", rnd.IntN(256))
	}
}

func path(rnd *rand.Rand) string {
	switch rnd.IntN(4) {
	case 0:
		return "/"
	case 1:
		return fmt.Sprintf("/products/%d?ref=%s", rnd.IntN(5_000), token(rnd, 8))
	case 2:
		return fmt.Sprintf("/cart/%s", token(rnd, 16))
	default:
		return "/healthz"
	}
}

func token(rnd *rand.Rand, n int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	var b strings.Builder
	for range n {
		b.WriteByte(letters[rnd.IntN(len(letters))])
	}
	return b.String()
}
