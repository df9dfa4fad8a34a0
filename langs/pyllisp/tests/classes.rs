//! Classes: fields, members, parents, in every way.

mod common;

use common::{check, check_error};

const POINT: &str = "point = (class object x y)
    plus = (func self other) (return (point self.x + other.x self.y + other.y))
    move = (func self dx)
        self.x += dx
        (return self)
";

#[test]
fn objects_have_fields_and_methods() {
    check(
        &format!(
            "{POINT}p = (point 1 2)\np.y = 5\n(print p.x p.y (p.plus p).y (p.move 3).x p point (interface p))\n"
        ),
        "1 5 10 4 <point> point point\n",
    );
    check(
        &format!(
            "{POINT}p = (point 0 0)\n(for i (range 300))\n    p = (p.plus (point i 1))\n    (p.move 1)\n(print p.x p.y)\n"
        ),
        "45150 300\n",
    );
    check(
        &format!(
            "{POINT}p = (point 1 2)\nm = p.move\n(m 5)\n(print p.x m (getattr p \"y\") (setattr p \"y\" 7) p.y)\n"
        ),
        "6 <point>.move 2 7 7\n",
    );
    check(
        &format!(
            "{POINT}(print point.name point.fields point.methods point.parent (point.plus (point 1 2) (point 3 4)).x)\n"
        ),
        "point [\"x\" \"y\"] [\"move\" \"plus\"] object 4\n",
    );
    // What a field holds is called without the object.
    check("c = (class object f)\no = (c {+})\n(print (o.f 1 2))\n", "3\n");
    check_error(&format!("{POINT}(point 1)"), "point requires 2 arguments");
    check_error(&format!("{POINT}p = (point 1 2)\np.z"), "z not in <point>");
    check_error(&format!("{POINT}p = (point 1 2)\n(p.z 1)"), "z not in <point>");
    check_error(&format!("{POINT}p = (point 1 2)\np.z = 3"), "cannot set z in <point>");
    check_error("(class int x)", "cannot refine integer");
    check_error("(class 5 x)", "cannot refine 5");
    check_error("object.x = 1", "cannot set x in object");
}

#[test]
fn init_makes_objects() {
    check(
        "counter = (class object n step)\n    init = (func self step)\n        self.n = 0\n        self.step = step\n        (return 99)\n\
         \u{20}   tick = (func self)\n        self.n += self.step\n        (return self.n)\n\
         c = (counter 3)\n(for i (range 100)) (c.tick)\n(print c.n (counter 1).step)\n",
        "300 1\n",
    );
    check(
        "many = (class object l)\n    init = (func self a b c d e) self.l = [a b c d e]\n\
         none = (class object l)\n    init = (func self) self.l = 1\n\
         s = 0\n(for i (range 60)) s += (many i 1 2 3 4).l[0] + (none).l\n(print s (many 1 2 3 4 5 6).l)\n",
        "1830 [1 2 3 4 5]\n",
    );
    check("c = (class object a b)\n    init = (func self) self.a = 1\n(print (c).b)\n", "null\n");
    check_error(
        "c = (class object a)\n    init = (func self x y) self.a = x\n(c 1)",
        "closure requires 3 arguments",
    );
}

#[test]
fn children_refine_their_parents() {
    let shapes = "shape = (class object name)
    area = (func self) (return 0)
    show = (func self) (return (\"{} {}\".format self.name (self.area)))
square = (class shape side)
    area = (func self) (return self.side * self.side)
cube = (class square)
    init = (func self side)
        self.name = \"cube\"
        self.side = side
    area = (func self) (return 6 * (square.area self))
";
    check(
        &format!(
            "{shapes}all = [(shape \"s\") (square \"q\" 3) (cube 2)]\n(for s all) (print (s.show))\n\
             total = 0\n(for i (range 90)) total += (all[i % 3].area)\n(print total cube.fields cube.parent)\n"
        ),
        "s 0\nq 9\ncube 24\n990 [\"name\" \"side\"] square\n",
    );
    check(
        &format!(
            "{shapes}c = (cube 1)\n(print (isinstance c cube) (isinstance c shape) (isinstance (shape 1) cube) (isinstance 1 int) (isinstance true int))\n"
        ),
        "true true false true true\n",
    );
    check_error(&format!("{shapes}x = (class square name)"), "field name is one of square");
}

#[test]
fn members_may_change_later() {
    check(
        "a = (class object x)\nb = (class a)\nf = (func o)\n    s = 0\n    (for i (range 40)) s += (o.get)\n    (return s)\n\
         a.get = (func self) (return 1)\no = (b 5)\n(print (f o))\na.get = (func self) (return self.x)\n(print (f o))\n\
         b.get = (func self) (return 100)\n(print (f o) (f (a 2)))\na.get = (func self) (return 0)\n(print (f o) (f (a 2)))\n",
        "40\n200\n4000 80\n4000 0\n",
    );
    // One that a parent gets after the child was asked for it.
    check(
        "a = (class object)\nb = (class a)\no = (b)\n(try) o.late\n(except e) (print e.message)\na.late = 7\n(print b.late)\n",
        "late not in <b>\n7\n",
    );
    check(
        "a = (class object n)\nb = (class a)\n(print (b 1).n)\na.init = (func self n) self.n = n * 2\n(print (b 1).n)\n",
        "1\n2\n",
    );
}

#[test]
fn multimethods_know_classes() {
    check(
        &format!(
            "{POINT}{{+}}[[point point]] = (func a b) (return (a.plus b))\n{{==}}[[point point]] = (func a b) (return a.x == b.x and a.y == b.y)\n\
             p = (point 1 2)\n(for i (range 50)) p = p + (point 1 1)\n(print p.x {{(point 1 2) == (point 1 2)}} {{p == null}})\n\
             d = (dict)\nd[p] = 5\n(print d[p] {{(dict) == p}})\n"
        ),
        "51 true false\n5 false\n",
    );
    check_error(&format!("{POINT}(point 1 2) - 1"), "no method for [point integer]");
}

#[test]
fn classes_are_values() {
    check(
        "make = (func n)\n    c = (class object v)\n        get = (func self) (return self.v + n)\n    (return c)\n\
         a = (make 1)\nb = (make 10)\n(print ((a 5).get) ((b 5).get) {a == b} (class object) a)\n",
        "6 15 false class c\n",
    );
    // Sites that meet many classes.
    check(
        "cs = []\nmake = (func n)\n    c = (class object v)\n        get = (func self) (return self.v * n)\n    (return c)\n\
         (for i (range 12)) (cs.append (make i))\ns = 0\n(for i (range 240))\n    o = (cs[i % 12] i)\n    s += (o.get)\n(print s)\n",
        "160600\n",
    );
}
