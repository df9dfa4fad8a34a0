//! `#[residual]` and its kin: a function over concrete values (`Plain`) becomes one over red values, which
//! the trace calls.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, FnArg, ItemFn, Pat, Result, ReturnType, Token, Type, parenthesized};

/// What the function promises.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Residual,
    Elidable,
    LoopInvariant,
    NotInTrace,
}

/// An option: a word, with names behind it or not.
struct Choice {
    name: Ident,
    names: Option<Punctuated<Ident, Token![,]>>,
}

impl Parse for Choice {
    fn parse(input: ParseStream<'_>) -> Result<Choice> {
        let name = input.parse()?;
        if !input.peek(syn::token::Paren) {
            return Ok(Choice { name, names: None });
        }
        let inside;
        parenthesized!(inside in input);
        Ok(Choice { name, names: Some(inside.parse_terminated(Ident::parse, Token![,])?) })
    }
}

/// The options of all kinds.
struct Choices {
    effect: TokenStream,
    /// Which parameters are promoted: those named, or all (no names).
    promote: Option<Vec<Ident>>,
    /// Whether there is a function that says what it answers.
    known: bool,
    /// Whether it keeps results in mutable fields.
    caches: bool,
    /// Whether there is a function that calls it or not, by a word.
    conditional: bool,
}

impl Choices {
    fn parse(kind: Kind, options: TokenStream) -> Result<Choices> {
        let effect = match kind {
            Kind::Residual => quote!(Any),
            Kind::Elidable => quote!(Elidable),
            Kind::LoopInvariant => quote!(Invariant),
            Kind::NotInTrace => quote!(Reads),
        };
        let mut choices = Choices { effect, promote: None, known: false, caches: false, conditional: false };
        let parser = Punctuated::<Choice, Token![,]>::parse_terminated;
        for Choice { name, names } in syn::parse::Parser::parse2(parser, options)? {
            let bare = names.is_none();
            match name.to_string().as_str() {
                "any" if kind == Kind::Residual && bare => choices.effect = quote!(Any),
                "looks" if kind == Kind::Residual && bare => choices.effect = quote!(Looks),
                "reads" if kind == Kind::Residual && bare => choices.effect = quote!(Reads),
                "writes" if kind == Kind::Residual && bare => choices.effect = quote!(Writes),
                "known" if kind == Kind::Elidable && bare => choices.known = true,
                "caches" if kind == Kind::Elidable && bare => choices.caches = true,
                "conditional" if matches!(kind, Kind::Residual | Kind::Elidable) && bare => {
                    choices.conditional = true;
                }
                "promote" if kind == Kind::Elidable => {
                    choices.promote = Some(names.into_iter().flatten().collect());
                }
                _ => {
                    let there_are = match kind {
                        Kind::Residual => {
                            "the effects are `looks`, `reads`, `writes` or `any`; the other option is `conditional`"
                        }
                        Kind::Elidable => {
                            "the options are `promote`, `promote(parameters)`, `known`, `caches` and `conditional`"
                        }
                        _ => "there are no options",
                    };
                    return Err(Error::new_spanned(name, there_are));
                }
            }
        }
        Ok(choices)
    }

    fn promotes(&self, parameter: &Ident) -> bool {
        self.promote.as_ref().is_some_and(|names| names.is_empty() || names.contains(parameter))
    }
}

/// The tokens with one identifier replaced by another.
pub fn renamed(tokens: TokenStream, from: &str, to: &str) -> TokenStream {
    tokens
        .into_iter()
        .map(|tree| match tree {
            TokenTree::Ident(ident) if ident == from => TokenTree::Ident(Ident::new(to, ident.span())),
            TokenTree::Group(group) => {
                let inside = renamed(group.stream(), from, to);
                TokenTree::Group(proc_macro2::Group::new(group.delimiter(), inside))
            }
            other => other,
        })
        .collect()
}

/// The type with `Plain` replaced by `M`.
fn in_mode(tokens: TokenStream) -> TokenStream {
    renamed(tokens, "Plain", "M")
}

fn mentions_plain(ty: &Type) -> bool {
    fn search(tokens: TokenStream) -> bool {
        tokens.into_iter().any(|tree| match tree {
            TokenTree::Ident(ident) => ident == "Plain",
            TokenTree::Group(group) => search(group.stream()),
            _ => false,
        })
    }
    search(quote!(#ty))
}

pub fn expand(kind: Kind, options: TokenStream, item: ItemFn) -> Result<TokenStream> {
    let choices = Choices::parse(kind, options)?;
    let signature = &item.sig;
    if !signature.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &signature.generics,
            "a residual function has no generics of its own",
        ));
    }
    let (name, vis, block) = (&signature.ident, &item.vis, &item.block);
    let attributes = &item.attrs;
    let (mut outer, mut words, mut inner, mut plain, mut raw) = (vec![], vec![], vec![], vec![], vec![]);
    let mut promoted = vec![];
    for (index, argument) in signature.inputs.iter().enumerate() {
        let FnArg::Typed(argument) = argument else {
            return Err(Error::new_spanned(argument, "a residual function is no method"));
        };
        let Pat::Ident(pattern) = argument.pat.as_ref() else {
            return Err(Error::new_spanned(argument, "a parameter is a name"));
        };
        let ty = &argument.ty;
        let parameter = &pattern.ident;
        let word = format_ident!("word_{index}");
        raw.push(quote!(#word: u64));
        plain.push(quote!(#argument));
        if let Type::Reference(reference) = ty.as_ref() {
            let target = &reference.elem;
            outer.push(quote!(#parameter: #ty));
            words.push(quote!(M::constant(#parameter as *const #target as u64)));
            inner.push(quote!(::hotloop::internal::reference::<#target>(#word)));
        } else if mentions_plain(ty) {
            let red = in_mode(quote!(#ty));
            outer.push(quote!(#parameter: #red));
            words.push(quote!(::hotloop::internal::Stored::<M>::into_red(#parameter)));
            inner.push(quote!(<#ty as ::hotloop::internal::Stored<::hotloop::Plain>>::from_red(#word)));
            if choices.promotes(parameter) {
                promoted.push(quote! {
                    words__[#index] = M::constant(M::promote(
                        words__[#index], <#red as ::hotloop::internal::Stored<M>>::KIND.ty()));
                });
            }
        } else {
            outer.push(quote!(#parameter: #ty));
            words.push(quote!(M::constant(::hotloop::GreenWord::to_word(#parameter))));
            inner.push(quote!(<#ty as ::hotloop::GreenWord>::from_word(#word)));
        }
    }
    let stranger = choices.promote.iter().flatten().find(|name| {
        !signature.inputs.iter().any(|argument| match argument {
            FnArg::Typed(argument) => {
                matches!(argument.pat.as_ref(), Pat::Ident(known) if known.ident == **name)
            }
            FnArg::Receiver(_) => false,
        })
    });
    if let Some(stranger) = stranger {
        return Err(Error::new_spanned(stranger, "there is no such parameter"));
    }
    let count = words.len();
    let indices = 0..count;
    let name_text = name.to_string();
    let (result, red_result) = match &signature.output {
        ReturnType::Default => (quote!(()), quote!(())),
        ReturnType::Type(_, ty) => (quote!(#ty), in_mode(quote!(#ty))),
    };
    let answer = quote!(<#result as ::hotloop::internal::Answer<::hotloop::Plain>>);
    let effect = &choices.effect;
    let parameters: Vec<_> = (0..count).map(|index| format_ident!("word_{index}")).collect();
    let caches = choices.caches;
    let entry = quote! {
        fn body(#(#plain),*) -> #result #block

        // A panic can't unwind through machine code: it ends the process here.
        extern "C" fn entry(#(#raw),*) -> ::hotloop::internal::Outcome {
            CELL.run([#(#parameters),*], |[#(#parameters),*]| {
                let (value, raised) = #answer::into_words(body(#(#inner),*));
                ::hotloop::internal::Outcome { value, raised }
            })
        }

        static CELL: ::hotloop::internal::CallCell = ::hotloop::internal::CallCell::new(
            #name_text,
            ::hotloop::internal::Effect::#effect,
            #answer::RAISES,
            #answer::RESULT,
            || entry as *const () as usize,
            #caches,
        );
    };
    let run = quote!(|words: [u64; #count]| entry(#(words[#indices]),*));
    let call = match kind {
        Kind::NotInTrace => quote! {
            const { assert!(
                !#answer::RAISES && #answer::RESULT.is_none(),
                "what is not in the trace has no result",
            ) };
            M::call_outside(&CELL, [#(#words),*], #run)
        },
        _ => {
            let invariant = (kind == Kind::LoopInvariant)
                .then(|| quote!(const { assert!(!#answer::RAISES, "what is loop-invariant can't raise") };));
            let words = match promoted.as_slice() {
                [] => quote!([#(#words),*]),
                _ => quote!({ let mut words__ = [#(#words),*]; #(#promoted)* words__ }),
            };
            quote! {
                #invariant
                let (value, raised) = M::call(&CELL, #words, #run);
                <#red_result as ::hotloop::internal::Answer<M>>::from_words(value, raised)
            }
        }
    };
    if !choices.known && !choices.conditional {
        return Ok(quote! {
            #(#attributes)*
            #[inline(always)]
            #vis fn #name<M: ::hotloop::Mode>(#(#outer),*) -> #red_result {
                #entry
                #call
            }
        });
    }
    // Several functions share what is called: all are made from one that is told what to do.
    let (known, both) = (format_ident!("{name}_known"), format_ident!("{name}_asked"));
    let names: Vec<_> = signature
        .inputs
        .iter()
        .filter_map(|argument| match argument {
            FnArg::Typed(argument) => Some(&argument.pat),
            FnArg::Receiver(_) => None,
        })
        .collect();
    let known = choices.known.then(|| quote! {
        #[doc = concat!("Says that `", #name_text, "` answers this to these arguments (RPython's `record_known_result`).")]
        #[inline(always)]
        #[allow(dead_code)]
        #vis fn #known<M: ::hotloop::Mode>(result__: #red_result, #(#outer),*) {
            let said__ = ::hotloop::internal::Stored::<M>::into_red(result__);
            #both::<M>(::hotloop::internal::Asked::Known(said__), #(#names),*);
        }
    });
    let conditional = choices.conditional.then(|| match &signature.output {
        ReturnType::Default => {
            let name = format_ident!("{name}_if");
            quote! {
                #[doc = concat!("Calls `", #name_text, "` if the condition holds, without a guard (RPython's `conditional_call`).")]
                #[inline(always)]
                #[allow(dead_code)]
                #vis fn #name<M: ::hotloop::Mode>(condition__: ::hotloop::Bool<M>, #(#outer),*) {
                    let condition__ = ::hotloop::internal::int_word(condition__.to_int());
                    #both::<M>(::hotloop::internal::Asked::If(condition__), #(#names),*);
                }
            }
        }
        ReturnType::Type(..) => {
            let name = format_ident!("{name}_unless");
            quote! {
                #[doc = concat!("The value, or what `", #name_text, "` answers if its word is 0, without a guard (RPython's `conditional_call_elidable`).")]
                #[inline(always)]
                #[allow(dead_code)]
                #vis fn #name<M: ::hotloop::Mode>(value__: #red_result, #(#outer),*) -> #red_result {
                    const { assert!(
                        ::core::matches!(
                            #answer::RESULT,
                            ::core::option::Option::Some(
                                ::hotloop::internal::FieldKind::Int | ::hotloop::internal::FieldKind::Value)
                        ) && !#answer::RAISES,
                        "a conditional call gives an `Int` or a `Value`, and can't raise",
                    ) };
                    let value__ = ::hotloop::internal::Stored::<M>::into_red(value__);
                    match #both::<M>(::hotloop::internal::Asked::Unless(value__), #(#names),*) {
                        ::core::option::Option::Some(result) => result,
                        ::core::option::Option::None => ::core::unreachable!(),
                    }
                }
            }
        }
    });
    Ok(quote! {
        #[inline(always)]
        fn #both<M: ::hotloop::Mode>(
            asked__: ::hotloop::internal::Asked<M::Word>, #(#outer),*
        ) -> ::core::option::Option<#red_result> {
            #entry
            match asked__ {
                ::hotloop::internal::Asked::Call => ::core::option::Option::Some({ #call }),
                ::hotloop::internal::Asked::Known(said__) => {
                    M::assume_result(&CELL, [#(#words),*], said__, #run);
                    ::core::option::Option::None
                }
                ::hotloop::internal::Asked::If(condition__) => {
                    M::call_if(&CELL, condition__, [#(#words),*], #run);
                    ::core::option::Option::None
                }
                ::hotloop::internal::Asked::Unless(value__) => {
                    let value__ = M::call_unless(&CELL, value__, [#(#words),*], #run);
                    let result = <#red_result as ::hotloop::internal::Answer<M>>::from_words(value__, M::constant(0));
                    ::core::option::Option::Some(result)
                }
            }
        }

        #(#attributes)*
        #[inline(always)]
        #[allow(dead_code)]
        #vis fn #name<M: ::hotloop::Mode>(#(#outer),*) -> #red_result {
            match #both::<M>(::hotloop::internal::Asked::Call, #(#names),*) {
                ::core::option::Option::Some(result) => result,
                ::core::option::Option::None => ::core::unreachable!(),
            }
        }

        #known
        #conditional
    })
}
