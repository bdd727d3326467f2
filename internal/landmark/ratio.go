package landmark

import (
	"math/big"
	"math/bits"

	"github.com/shopspring/decimal"
)

// Ratio is an exact quotient, such as a completion rate (1 is 100 %) or a gap
// between two of them. The zero Ratio is absent: nothing can be said.
type Ratio struct{ r *big.Rat }

// RatioOf is a/b, absent where b is zero.
func RatioOf(a, b decimal.Decimal) Ratio {
	if b.IsZero() {
		return Ratio{}
	}
	return Ratio{new(big.Rat).Quo(a.Rat(), b.Rat())}
}

// Fraction is a/b for whole numbers; b must not be zero.
func Fraction(a, b int64) Ratio { return Ratio{big.NewRat(a, b)} }

// Present says whether the ratio is there.
func (x Ratio) Present() bool { return x.r != nil }

// Cmp compares two present ratios: negative, zero, positive.
func (x Ratio) Cmp(y Ratio) int { return x.r.Cmp(y.r) }

// Sub is x−y, absent where either is.
func (x Ratio) Sub(y Ratio) Ratio {
	if x.r == nil || y.r == nil {
		return Ratio{}
	}
	return Ratio{new(big.Rat).Sub(x.r, y.r)}
}

// Neg is −x.
func (x Ratio) Neg() Ratio {
	if x.r == nil {
		return x
	}
	return Ratio{new(big.Rat).Neg(x.r)}
}

// Sign is −1, 0 or 1; 0 where absent.
func (x Ratio) Sign() int {
	if x.r == nil {
		return 0
	}
	return x.r.Sign()
}

// Percent is the ratio in percent (or a gap in percentage points), rounded half
// away from zero (四舍五入) to places decimals. Zero where absent: ask Present.
func (x Ratio) Percent(places int32) decimal.Decimal {
	if x.r == nil {
		return decimal.Zero
	}
	if q, ok := x.quick(places); ok {
		return decimal.New(q, -places)
	}
	// round(n/d) half away from zero is (2|n|+d) div 2d with n's sign.
	scaled := new(big.Rat).Mul(x.r, new(big.Rat).SetInt(pow10(places+2)))
	n, d := new(big.Int).Abs(scaled.Num()), scaled.Denom()
	n.Lsh(n, 1).Add(n, d).Quo(n, new(big.Int).Lsh(d, 1))
	if scaled.Sign() < 0 {
		n.Neg(n)
	}
	return decimal.NewFromBigInt(n, -places)
}

const greatestWord = 1<<63 - 1

// quick is the ratio in percent times 10^places, rounded as Percent does, where
// machine words hold all that it takes.
func (x Ratio) quick(places int32) (int64, bool) {
	n, d := x.r.Num(), x.r.Denom()
	if places < -2 || places > 15 || !n.IsInt64() || !d.IsInt64() || d.Int64() > greatestWord/2 {
		return 0, false
	}
	factor := uint64(2)
	for range places + 2 {
		factor *= 10
	}
	num, den := n.Int64(), uint64(d.Int64())
	abs := uint64(num)
	if num < 0 {
		abs = -abs
	}
	high, low := bits.Mul64(abs, factor)
	low, carry := bits.Add64(low, den, 0)
	if high += carry; high >= 2*den {
		return 0, false // more than 64 bits
	}
	q, _ := bits.Div64(high, low, 2*den)
	if q > greatestWord {
		return 0, false
	}
	if num < 0 {
		return -int64(q), true
	}
	return int64(q), true
}

// Of is x times a, rounded half away from zero to places decimals: what a share
// of a target amounts to.
func (x Ratio) Of(a decimal.Decimal, places int32) decimal.Decimal {
	if x.r == nil {
		return decimal.Zero
	}
	return Ratio{new(big.Rat).Mul(x.r, a.Rat())}.Percent(places - 2).Shift(-2)
}

func pow10(n int32) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}
